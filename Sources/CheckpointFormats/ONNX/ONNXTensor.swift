import ByteIO
import TensorCore

/// A `TensorProto`: what it describes, and where its elements are.
///
/// Elements are raw bytes (`raw_data`), a range of another file (`external_data`), or a list of
/// numbers whose field depends on the type.
struct ONNXTensor: Sendable {
  private(set) var name = ""
  /// `TensorProto.DataType`.
  private(set) var type = 0
  private(set) var sizes: [Int] = []
  /// The file that has the elements; `nil` if they are in the model.
  private(set) var location: String?
  private var raw: Range<Int>?
  private var (offset, length): (Int, Int?) = (0, nil)
  private let message: ProtobufReader
  private let source: ByteSource
  /// Where the runs of packed numbers are, and whether there are numbers outside of runs.
  private var (runs, hasLoneNumbers): ([Range<Int>], Bool) = ([], false)

  /// The fields of numbers: `float_data`, `int32_data`, `int64_data`, `double_data`, `uint64_data`.
  private static let numberFields: Set<Int> = [4, 5, 7, 10, 11]
  /// Most runs of numbers whose places are kept.
  private static let maxRuns = 1000

  init(_ message: ProtobufReader, in source: ByteSource) throws(CheckpointError) {
    self.message = message
    self.source = source
    var reader = message
    var isExternal = false
    var external: [(key: String, value: String)] = []
    while let field = try reader.next() {
      switch field.number {
      case 1: try reader.integers(field, into: &sizes, limit: ONNX.maxRank)
      case 2: type = Int(try field.integer & 0xffff_ffff)
      case 3:
        throw CheckpointError(
          .unsupported, "is one segment of a tensor, which is not supported", offset: field.start)
      case 8: name = try reader.text(field)
      case 9: raw = try field.range
      case 13: external.append(try Self.pair(try reader.message(field)))
      case 14: isExternal = try field.integer == 1
      case let number where Self.numberFields.contains(number):
        if case .bytes(let range) = field.content {
          if runs.count < Self.maxRuns { runs.append(range) } else { hasLoneNumbers = true }
        } else {
          hasLoneNumbers = true
        }
      default: break
      }
    }
    if isExternal { try setExternal(external) }
  }

  private mutating func setExternal(
    _ pairs: [(key: String, value: String)]
  ) throws(CheckpointError) {
    func number(_ text: String) throws(CheckpointError) -> Int {
      guard let number = Int(text), number >= 0 else {
        throw CheckpointError(
          .malformed,
          "expected an offset or a length of external data, found "
            + "'\(text.shortened(to: 40))'", tensor: name)
      }
      return number
    }
    for (key, value) in pairs {
      switch key {
      case "location": location = value
      case "offset": offset = try number(value)
      case "length": length = try number(value)
      default: break
      }
    }
    guard location != nil else {
      throw CheckpointError(.malformed, "its external data has no location", tensor: name)
    }
  }

  /// A key and its value (`StringStringEntryProto`).
  static func pair(
    _ message: ProtobufReader
  ) throws(CheckpointError) -> (key: String, value: String) {
    var reader = message
    var (key, value) = ("", "")
    while let field = try reader.next() {
      if field.number == 1 { key = try reader.text(field) }
      if field.number == 2 { value = try reader.text(field, limit: 1 << 24) }
    }
    return (key, value)
  }

  // MARK: - Elements

  /// The tensor; `nil` if its type is not read.
  func entry(
    named name: TensorName, external: ByteSource?
  ) throws(CheckpointError) -> Checkpoint.Entry? {
    let narrow = ONNX.narrow[type]
    guard let dtype = narrow?.dtype ?? ONNX.types[type] else { return nil }
    // Types whose elements share bytes are read in whole blocks.
    let count = try Shape(sizes).elementCount
    if !dtype.isComputable, count % dtype.block.elements != 0 { return nil }
    let info = try TensorInfo(dtype: dtype, shape: sizes)
    let size = narrow?.storedBytes(count) ?? info.byteCount
    let data = try stored(size, dtype, isNarrow: narrow != nil, external)
    return Checkpoint.Entry(name: name, info: info) { range, target in
      let source = try data()
      if let narrow {
        try narrow.read(range, into: &target, from: source)
      } else {
        try source.read(at: range.lowerBound, into: &target)
      }
    }
  }

  private typealias Data = @Sendable () throws(CheckpointError) -> ByteSource

  /// The stored bytes of all elements, of which there must be just `size`.
  private func stored(
    _ size: Int, _ dtype: DType, isNarrow: Bool, _ external: ByteSource?
  ) throws(CheckpointError) -> Data {
    if let external {
      let rest = max(external.size - offset, 0)
      guard length ?? size == size, size <= rest else {
        throw CheckpointError(
          .malformed,
          "expected \(size) bytes of external data, found \(min(length ?? rest, rest)) at byte "
            + "\(offset) of '\((location ?? "").shortened(to: 80))'")
      }
      let part = try external.part(offset..<offset + size)
      return { () throws(CheckpointError) in part }
    }
    let direct = raw ?? (hasDirectNumbers(dtype) ? runs.first : nil)
    if let direct {
      guard direct.count == size else {
        throw CheckpointError(
          .malformed, "expected \(size) bytes for shape \(sizes), found \(direct.count)",
          offset: direct.lowerBound)
      }
      let part = try source.part(direct)
      return { () throws(CheckpointError) in part }
    }
    let numbers = ONNXNumbers(message, dtype, isNarrow: isNarrow)
    let found = try numbers.storedBytes
    guard found == size else {
      throw CheckpointError(
        .malformed, "expected \(size) bytes for shape \(sizes), found \(found)")
    }
    let made = MadeSource(name: source.name, size: size) { sink throws(CheckpointError) in
      try numbers.write(to: sink)
    }
    return { () throws(CheckpointError) in try made.source }
  }

  /// Whether numbers are one run of fixed width, which is what the tensor's bytes are.
  private func hasDirectNumbers(_ dtype: DType) -> Bool {
    [.float32, .float64, .complex64, .complex128].contains(dtype) && runs.count == 1
      && !hasLoneNumbers
  }

  /// The elements of a tensor of texts; `nil` where `room` has no room for them.
  func texts(in room: inout ValueRoom) throws(CheckpointError) -> Value? {
    var reader = message
    var elements: [Value] = []
    while let field = try reader.next() {
      guard field.number == 6 else { continue }
      guard room.take() else { return nil }
      let bytes = try reader.bytes(field, limit: 1 << 26)
      elements.append(String(validating: bytes, as: UTF8.self).map(Value.text) ?? .bytes(bytes))
    }
    let shape = try Shape(sizes)
    guard elements.count == shape.elementCount, location == nil, raw == nil else {
      throw CheckpointError(
        .malformed, "expected \(shape.elementCount) texts, found \(elements.count)")
    }
    return elements.nested(shape)
  }
}
