import ByteIO
import TensorCore

/// The header of an array as NumPy stores it: dtype, order of the axes, and shape.
///
/// Source: numpy 2.4, `lib/format.py`, versions 1.0 to 3.0.
struct NPYHeader {
  /// Element type and shape, outermost dimension first.
  let info: TensorInfo
  /// Whether the first axis is the fastest.
  let isFortranOrder: Bool
  /// Whether the elements' bytes are stored most significant first.
  let isBigEndian: Bool
  /// Whether elements are `|V2`: as bfloat16 becomes when NumPy saves it without knowing it.
  let isGuess: Bool
  /// Size of the header in bytes; the elements follow.
  let length: Int

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Largest text of a header, in bytes.
  static let maxSize = 1 << 16
  /// Largest number of dimensions (`NPY_MAXDIMS`).
  static let maxRank = 64

  /// NumPy's names of the element types, without byte order.
  private static let types: [(name: String, dtype: DType)] = [
    ("b1", .bool), ("u1", .uint8), ("i1", .int8), ("i2", .int16), ("u2", .uint16), ("f2", .float16),
    ("i4", .int32), ("u4", .uint32), ("f4", .float32), ("c8", .complex64), ("f8", .float64),
    ("i8", .int64), ("u8", .uint64), ("c16", .complex128), ("V2", .bfloat16),
  ]

  /// The element types that NumPy has, and bfloat16, which `ml_dtypes` stores as two bytes.
  static let dtypes = types.map(\.dtype)

  /// Reads the dictionary of an array that takes `size` bytes in all, and where the header ends.
  ///
  /// - Throws: ``CheckpointError``, its offset counted from the array's first byte.
  static func fields(
    size: Int, read: (_ range: Range<Int>) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> (fields: NPYDictionary.Fields, textStart: Int, length: Int) {
    guard size >= 10 else {
      throw CheckpointError(
        .malformed, "expected at least 10 bytes for a NumPy array, found \(size)", offset: 0)
    }
    let start = try read(0..<10)
    guard start.starts(with: magic) else {
      throw CheckpointError(
        .malformed, "is not a NumPy array: it does not begin with \\x93NUMPY", offset: 0)
    }
    let version = (start[6], start[7])
    var textStart = 10
    var count = Int(start.littleEndian(UInt16.self, at: 8))
    switch version {
    case (1, 0): break
    case (2, 0), (3, 0):
      guard size >= 12 else { throw cut(12, size) }
      textStart = 12
      let length = try start[8...] + read(10..<12)
      count = Int(Array(length).littleEndian(UInt32.self, at: 0))
    default:
      throw CheckpointError(
        .unsupported, "expected format version 1.0 to 3.0, found \(version.0).\(version.1)",
        offset: 6)
    }
    guard count <= maxSize else {
      throw CheckpointError(
        .unsupported, "expected a header of at most \(maxSize) bytes, found \(count)",
        offset: 8)
    }
    guard count <= size - textStart else { throw cut(textStart + count, size) }
    var parser = NPYDictionary(try read(textStart..<textStart + count), offset: textStart)
    return (try parser.fields(), textStart, textStart + count)
  }

  /// Reads the header of an array that takes `size` bytes in all.
  ///
  /// - Throws: as ``fields(size:read:)``, and `unsupported` for elements that are not numbers.
  init(
    size: Int, read: (_ range: Range<Int>) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) {
    let (fields, textStart, length) = try Self.fields(size: size, read: read)
    self.length = length
    isFortranOrder = fields.isFortranOrder
    let type = try CheckpointError.placing(Self.type(fields.description), offset: textStart)
    info = try CheckpointError.placing(
      TensorInfo(dtype: type.dtype, shape: fields.shape), offset: textStart)
    (isBigEndian, isGuess) = (type.isBigEndian, type.isGuess)
    guard info.byteCount == size - length else {
      throw CheckpointError(
        .malformed,
        "expected \(info.byteCount) bytes for shape \(info.shape) of \(info.dtype.rawValue), found "
          + "\(size - length) after the header", offset: length)
    }
  }

  private static func cut(_ required: Int, _ size: Int) -> CheckpointError {
    CheckpointError(
      .malformed, "expected a header of \(required) bytes, but the file has \(size)", offset: size)
  }

  /// The element type that a description such as `<f4` stands for, whether its most significant byte
  /// comes first, and whether it is only a guess.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for elements that are not numbers.
  static func type(
    _ description: String
  ) throws(CheckpointError) -> (dtype: DType, isBigEndian: Bool, isGuess: Bool) {
    let name = String(description.dropFirst())
    let order = description.first
    if let found = types.first(where: { $0.name == name }) {
      let isNarrow = found.dtype.byteWidth == 1
      switch order {
      case "<": return (found.dtype, false, false)
      case ">" where name != "V2": return (found.dtype, !isNarrow, false)
      case "|" where isNarrow: return (found.dtype, false, false)
      case "|" where name == "V2": return (found.dtype, false, true)
      default: break
      }
    }
    let shown = description.shortened(to: 80)
    if name.hasPrefix("O") || description.hasPrefix("O") {
      throw CheckpointError(
        .unsupported, "object arrays ('\(shown)') hold pickled Python objects and are not supported"
      )
    }
    throw CheckpointError(
      .unsupported, "expected numeric or Boolean elements such as '<f4', found type '\(shown)'")
  }

  // MARK: - Writing

  /// The header that `numpy.save` writes before the elements of a tensor.
  static func bytes(_ info: TensorInfo) throws(CheckpointError) -> [UInt8] {
    guard let type = types.first(where: { $0.dtype == info.dtype }),
      info.shape.count <= maxRank
    else {
      throw CheckpointError(
        .unsupported,
        "expected at most \(maxRank) dimensions for \(info.dtype.rawValue) in NumPy, found "
          + "\(info.shape.count)")
    }
    // `|` means that byte order does not matter, `<` little-endian.
    let order = info.dtype.byteWidth == 1 ? "|" : "<"
    let sizes = info.shape.map { "\($0)" }
    let shape = sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
    var text = "{'descr': '\(order)\(type.name)', 'fortran_order': False, 'shape': \(shape), }"
    // NumPy leaves room for the first size to grow to 21 digits.
    if let first = sizes.first { text += String(repeating: " ", count: 21 - first.utf8.count) }
    text += String(repeating: " ", count: 64 - (10 + text.utf8.count + 1) % 64) + "\n"
    var bytes = magic + [1, 0]
    bytes.appendLittleEndian(UInt16(text.utf8.count))
    return bytes + text.utf8
  }
}
