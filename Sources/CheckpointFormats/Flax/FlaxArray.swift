import ByteIO
import TensorCore

/// The content of an array's extension: a MessagePack array of shape, NumPy's name of the type, and
/// the elements, row-major and little-endian (`_ndarray_to_bytes`).
struct FlaxArray {
  let shape: [Int]
  /// NumPy's name of the type, such as `float32`.
  let type: String
  /// Where the elements are in the file.
  let data: Range<Int>
  private let source: ByteSource

  /// Largest number of dimensions, as in NumPy.
  private static let maxRank = 64

  init(_ source: ByteSource, _ range: Range<Int>) throws(CheckpointError) {
    self.source = source
    var cursor = ByteCursor(source, range)
    guard case .array(3) = try MessagePack.read(&cursor),
      case .array(let rank) = try MessagePack.read(&cursor), rank <= Self.maxRank
    else { throw Self.malformed(range) }
    var shape: [Int] = []
    for _ in 0..<rank {
      guard case .integer(let size) = try MessagePack.read(&cursor) else {
        throw Self.malformed(range)
      }
      shape.append(size)
    }
    self.shape = shape
    guard let type = Self.bytes(try MessagePack.read(&cursor)), type.count <= 1000,
      let data = Self.bytes(try MessagePack.read(&cursor)), cursor.isAtEnd
    else { throw Self.malformed(range) }
    self.type = String(decoding: try source.bytes(type), as: UTF8.self)
    self.data = data
  }

  /// Texts and bytes are the same here: Flax reads with `raw=True`.
  private static func bytes(_ item: MessagePack) -> Range<Int>? {
    switch item {
    case .text(let range), .bytes(let range): range
    default: nil
    }
  }

  private static func malformed(_ range: Range<Int>) -> CheckpointError {
    CheckpointError(
      .malformed, "expected shape, type, and elements of an array here", offset: range.lowerBound)
  }

  /// The value of a single real element; `nil` for others.
  func scalar() throws(CheckpointError) -> Value? {
    guard shape.isEmpty, let dtype = Flax.dtypes.first(where: { $0.torchName == type }),
      data.count == dtype.byteWidth
    else { return nil }
    let bytes = try source.bytes(data)
    switch dtype.element.kind {
    case .boolean: return .bool(bytes[0] != 0)
    case .floatingPoint: return .real(dtype.number(at: 0, in: bytes))
    case .integer:
      let text = dtype.elementTexts(bytes.rawBytes).first ?? ""
      return Int(text).map(Value.integer) ?? .opaque("int", [.init("digits", .text(text))])
    case .complex:
      return .opaque(
        "complex",
        [
          .init("real", .real(dtype.number(at: 0, in: bytes))),
          .init("imag", .real(dtype.number(at: 1, in: bytes))),
        ])
    case .packed: return nil
    }
  }
}
