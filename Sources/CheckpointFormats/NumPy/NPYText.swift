import TensorCore

/// Arrays of strings, which are values and not tensors: `<U5` and `|S5`.
enum NPYText {
  /// Largest array that is read, in bytes.
  private static let maxSize = 1 << 26

  /// The array as text or lists of text; `nil` if its elements are not strings, or if it is too large.
  ///
  /// - Throws: ``CheckpointError`` when the array is truncated, and what reading it throws.
  static func value(
    size: Int, in room: inout ValueRoom,
    read: (_ range: Range<Int>) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> Value? {
    let (fields, _, length) = try NPYHeader.fields(size: size, read: read)
    return try value(fields, size: size - length, offset: length, in: &room) {
      range throws(CheckpointError) in
      try read(range.lowerBound + length..<range.upperBound + length)
    }
  }

  /// The same of `size` bytes that `read` gives, `offset` bytes into an array's own.
  static func value(
    _ fields: NPYDictionary.Fields, size: Int, offset: Int = 0, in room: inout ValueRoom,
    read: (_ range: Range<Int>) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> Value? {
    guard let (order, kind, count) = parts(fields.description), size <= maxSize else { return nil }
    let width = count.saturated(times: kind == "U" ? 4 : 1)
    let elements = try Shape(fields.shape).elementCount
    guard elements.saturated(times: width) == size else {
      throw CheckpointError(
        .malformed, "expected \(elements) times \(width) bytes, found \(size) after the header",
        offset: offset)
    }
    guard !fields.isFortranOrder || fields.shape.count < 2, room.take(elements) else { return nil }
    let bytes = try read(0..<size)
    var texts: [Value] = []
    for index in 0..<elements {
      let start = index.saturated(times: width)
      let element = bytes[start..<start + width]
      texts.append(
        kind == "U" ? .text(text(element, isBig: order == ">")) : string(element))
    }
    return texts.nested(try Shape(fields.shape))
  }

  /// Byte order, kind, and length of a type such as `<U5`; lengths up to 2^20.
  private static func parts(_ description: String) -> (Character, Character, Int)? {
    guard let order = description.first, let kind = description.dropFirst().first,
      kind == "U" || kind == "S", let count = Int(description.dropFirst(2)),
      (0...1 << 20).contains(count)
    else { return nil }
    return (order, kind, count)
  }

  /// UTF-32, filled up with NUL.
  private static func text(_ bytes: ArraySlice<UInt8>, isBig: Bool) -> String {
    var text = String.UnicodeScalarView()
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: 4) {
      let word = bytes[start..<start + 4]
      let value = (isBig ? Array(word) : word.reversed()).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      text.append(Unicode.Scalar(value) ?? "\u{fffd}")
    }
    while text.last?.value == 0 { text.removeLast() }
    return String(text)
  }

  private static func string(_ bytes: ArraySlice<UInt8>) -> Value {
    var bytes = bytes
    while bytes.last == 0 { bytes.removeLast() }
    return String(validating: bytes, as: UTF8.self).map(Value.text) ?? .bytes(Array(bytes))
  }
}
