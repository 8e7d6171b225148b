import TensorCore

/// Reads the elements of attributes and of datasets that are not tensors as plain values.
enum HDF5ValueReader {
  /// Memory in bytes of the largest value that is read.
  private static let limit = 1 << 28

  /// Reads all elements of a type and a shape, which follow in `body`.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when there are fewer bytes than elements.
  static func attribute(
    _ name: String, _ type: HDF5Datatype, _ shape: [Int]?, _ body: inout HDF5Cursor,
    in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Attribute {
    HDF5Attribute(
      name, try value(type, shape, &body, in: metadata),
      shape: (shape?.count ?? 0) > 1 ? shape ?? [] : [])
  }

  /// Bytes that all elements take as stored; `nil` for more than are read.
  static func byteCount(_ type: HDF5Datatype, _ shape: [Int]) -> Int? {
    count(shape, of: type).map { $0 * type.size }
  }

  private static func count(_ shape: [Int], of type: HDF5Datatype) -> Int? {
    var count = shape.contains(0) ? 0 : 1
    for size in shape where count > 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= limit / max(type.size, 8) else { return nil }
      count = product
    }
    return count
  }

  private static func value(
    _ type: HDF5Datatype, _ shape: [Int]?, _ body: inout HDF5Cursor, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Value {
    guard let shape else { return .none }
    let isRow = !shape.isEmpty
    guard let count = count(shape, of: type) else {
      return .other("\(HDF5Element.text(type)) of shape \(shape)")
    }
    // NumPy gives an empty list the type float64, so that of an empty attribute says nothing.
    if count == 0 { return .texts([]) }
    guard isRead(type) else { return .other(HDF5Element.text(type)) }
    guard body.remaining / type.size >= count else {
      throw body.malformed(
        "attribute: expected \(count) times \(type.size) bytes, found \(body.remaining)")
    }
    switch type.kind {
    case .text(let filler):
      var texts: [String] = []
      for _ in 0..<count { texts.append(text(try body.bytes(type.size), filler)) }
      try metadata.charge(texts: count.saturated(times: type.size))
      return isRow ? .texts(texts) : .text(texts[0])
    case .variableText:
      var texts: [String] = []
      for _ in 0..<count {
        var reference = try body.part(type.size)
        texts.append(try HDF5GlobalHeap.text(&reference, in: metadata))
      }
      return isRow ? .texts(texts) : .text(texts[0])
    case .integer(let layout), .enumeration(let layout, _), .bits(let layout):
      var numbers: [Int] = []
      for _ in 0..<count { numbers.append(layout.value(try body.bytes(type.size))) }
      // A number above `Int.max` was read as that.
      if !layout.isSigned, type.size == 8, numbers.contains(.max) {
        return .other("unsigned integers of 64 bits")
      }
      return isRow ? .integers(numbers) : .integer(numbers[0])
    case .float(let layout?, let isBig):
      var numbers: [Double] = []
      for _ in 0..<count {
        let bytes = try body.bytes(type.size)
        guard let number = real(isBig ? Array(bytes.reversed()) : Array(bytes), layout) else {
          return .other(HDF5Element.text(type))
        }
        numbers.append(number)
      }
      return isRow ? .reals(numbers) : .real(numbers[0])
    case .boolean:
      var values: [Bool] = []
      for _ in 0..<count { values.append(try body.bytes(1).first != 0) }
      return isRow ? .bools(values) : .bool(values[0])
    case .float(nil, _), .opaque, .complex, .array, .other: return .other(HDF5Element.text(type))
    }
  }

  private static func isRead(_ type: HDF5Datatype) -> Bool {
    switch type.kind {
    case .text, .variableText, .boolean: true
    case .integer, .enumeration, .bits: type.size <= 8
    case .float(let layout?, _): layout.dtype != nil
    case .float(nil, _), .opaque, .complex, .array, .other: false
    }
  }

  /// A number of 16, 32, or 64 bits, given little-endian.
  private static func real(_ bytes: [UInt8], _ layout: HDF5FloatLayout) -> Double? {
    var bits: UInt64 = 0
    for byte in bytes.reversed() { bits = bits << 8 | UInt64(byte) }
    let word = UInt32(truncatingIfNeeded: bits)
    if layout.dtype == .float64 { return Double(bitPattern: bits) }
    if layout.dtype == .float32 { return Double(Float(bitPattern: word)) }
    if layout.dtype == .float16 { return Double(Float16(bitPattern: UInt16(word))) }
    if layout.dtype == .bfloat16 { return Double(Float(bitPattern: word << 16)) }
    return nil
  }

  private static func text(_ bytes: ArraySlice<UInt8>, _ filler: HDF5Datatype.Filler) -> String {
    var text = bytes
    switch filler {
    case .terminator: text = text.prefix { $0 != 0 }
    case .zeros: while text.last == 0 { text.removeLast() }
    case .spaces: while text.last == UInt8(ascii: " ") { text.removeLast() }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
