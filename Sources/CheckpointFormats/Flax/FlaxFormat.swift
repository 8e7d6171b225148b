import ByteIO
import TensorCore

/// The Flax format as a value.
extension CheckpointFormat {
  /// Files of `flax.serialization.to_bytes`, such as `flax_model.msgpack`: nested dictionaries in
  /// MessagePack, read-only.
  ///
  /// Source: flax 0.12, `serialization.py`.
  public static let flax = CheckpointFormat(
    name: "flax", extensions: [".msgpack"],
    recognizes: { Flax.recognizes($0) },
    open: { probe, _ in try Flax.open(probe) },
    capabilities: Capabilities(dtypes: Flax.dtypes))
}

/// Marks and types of the format.
enum Flax {
  /// Extension types (`_MsgpackExtType`).
  static let arrayType: Int8 = 1
  static let complexType: Int8 = 2
  static let scalarType: Int8 = 3
  /// Key of a dictionary that stands for an array in several chunks of up to 1 GiB.
  static let chunkedKey = "__msgpack_chunked_array__"

  /// NumPy's types that are tensors; their names are PyTorch's.
  static let dtypes: [DType] = DType.computable

  /// Types of less than a byte, which NumPy stores in a byte each (`ml_dtypes`).
  static let narrow: [String: NarrowIntegers] = [
    "int2": NarrowIntegers(bits: 2, isSigned: true, perByte: 1),
    "uint2": NarrowIntegers(bits: 2, isSigned: false, perByte: 1),
    "int4": NarrowIntegers(bits: 4, isSigned: true, perByte: 1),
    "uint4": NarrowIntegers(bits: 4, isSigned: false, perByte: 1),
  ]

  private static let ending = ".msgpack"

  /// Whether a file begins with a dictionary in which an array follows soon, is an array, or is an
  /// index of such files.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    if ShardIndex.recognizes(candidate, ending: ending) { return true }
    let head = ByteSource(candidate.head, name: candidate.name)
    var cursor = ByteCursor(head)
    if case .extended(arrayType, _)? = item(&cursor, candidate) { return true }
    cursor = ByteCursor(head)
    guard let first = candidate.head.first, (0x81...0x8f).contains(first) || first >= 0xde,
      first <= 0xdf, case .map? = item(&cursor, candidate), case .text? = item(&cursor, candidate)
    else { return false }
    while let item = item(&cursor, candidate) {
      if case .extended(arrayType, _) = item { return true }
    }
    return false
  }

  /// The next item of a file's beginning; arrays may extend beyond it.
  private static func item(_ cursor: inout ByteCursor, _ candidate: FileProbe) -> MessagePack? {
    let start = cursor.position
    if let item = try? MessagePack.read(&cursor) { return item }
    // The content of an array may lie beyond the head: what matters is how it begins.
    let head = candidate.head[start...]
    guard let mark = head.first, (0xc7...0xc9).contains(mark) else { return nil }
    let typeIndex = start + 1 + 1 << Int(mark - 0xc7)
    guard typeIndex + 1 < candidate.head.count, candidate.head[typeIndex] == UInt8(arrayType),
      candidate.head[typeIndex + 1] == 0x93
    else { return nil }
    return .extended(arrayType, 0..<0)
  }

  /// Opens a file, or the files of an index, whose names have a slash between keys.
  static func open(_ probe: FileProbe) throws -> Opened {
    guard ShardIndex.recognizes(probe, ending: ending) else { return try open(try probe.source) }
    return try ShardIndex(probe).contents {
      TensorName($0.text.replacing("/", with: "."))
    } open: {
      try open($0)
    }
  }

  private static func open(_ source: ByteSource) throws(CheckpointError) -> Opened {
    try CheckpointError.placing(path: source.name) { () throws(CheckpointError) in
      var reader = FlaxReader(source)
      return try reader.contents()
    }
  }
}
