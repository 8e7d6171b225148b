package import TensorCore

/// Reads the fields of a protobuf message in the order of the file, without a schema.
///
/// Texts, bytes, and inner messages are only located, so that a message with gigabytes in it costs
/// no memory. Source: protobuf.dev/programming-guides/encoding.
package struct ProtobufReader: Sendable {
  /// One field: its number and what it holds.
  package struct Field: Sendable {
    /// The wire types that are in use.
    package enum Content: Sendable {
      /// An integer, a Boolean, or an enumerated value.
      case number(UInt64)
      case fixed64(UInt64)
      case fixed32(UInt32)
      /// A text, bytes, a message, or packed numbers: where they are in the source.
      case bytes(Range<Int>)
    }

    package let number: Int
    package let content: Content
    /// Offset in the source of the field's first byte.
    package let start: Int
  }

  private var cursor: ByteCursor

  /// Begins at the first field of a message; default: the whole source is one.
  package init(_ source: ByteSource, _ range: Range<Int>? = nil) {
    cursor = ByteCursor(source, range)
  }

  private init(_ cursor: ByteCursor) { self.cursor = cursor }

  /// A reader of a message inside this one.
  package func message(_ field: Field) throws(CheckpointError) -> ProtobufReader {
    ProtobufReader(cursor.part(try field.range))
  }

  /// The next field; `nil` at the end.
  ///
  /// - Throws: ``CheckpointError`` `malformed` with the field's offset.
  package mutating func next() throws(CheckpointError) -> Field? {
    if cursor.isAtEnd { return nil }
    let start = cursor.position
    let tag = try cursor.varint()
    guard tag <= UInt32.max, tag >> 3 > 0 else {
      throw CheckpointError(
        .malformed, "expected the tag of a field here, found \(tag)", offset: start)
    }
    let content: Field.Content
    switch tag & 7 {
    case 0: content = .number(try cursor.varint())
    case 1: content = .fixed64(try cursor.littleEndian(UInt64.self))
    case 2: content = .bytes(try cursor.skip(cursor.varint()))
    case 5: content = .fixed32(try cursor.littleEndian(UInt32.self))
    default:
      throw CheckpointError(
        .malformed, "expected wire type 0, 1, 2, or 5 here, found \(tag & 7)", offset: start)
    }
    return Field(number: Int(tag >> 3), content: content, start: start)
  }

  /// Adds the integers of a repeated field, packed or not, to a list of at most `limit`.
  package func integers(
    _ field: Field, into numbers: inout [Int], limit: Int
  ) throws(CheckpointError) {
    func add(_ number: UInt64) throws(CheckpointError) {
      guard numbers.count < limit else {
        throw CheckpointError(
          .malformed, "expected at most \(limit) numbers, found more", offset: field.start)
      }
      numbers.append(Int(bitPattern: UInt(number)))
    }
    if case .bytes(let range) = field.content {
      var packed = cursor.part(range)
      while !packed.isAtEnd { try add(packed.varint()) }
    } else {
      try add(field.integer)
    }
  }

  /// A reader of the numbers of a packed field.
  package func run(_ field: Field) throws(CheckpointError) -> ByteCursor {
    cursor.part(try field.range)
  }

  /// The text of a field.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when it is longer than `limit` bytes or not UTF-8.
  package func text(_ field: Field, limit: Int = 1 << 16) throws(CheckpointError) -> String {
    let bytes = try bytes(field, limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(
        .malformed, "expected UTF-8, found other bytes", offset: field.start)
    }
    return text
  }

  /// The bytes of a field, at most `limit`.
  package func bytes(_ field: Field, limit: Int) throws(CheckpointError) -> [UInt8] {
    let range = try field.range
    guard range.count <= limit else {
      throw CheckpointError(
        .malformed, "expected at most \(limit) bytes here, found \(range.count)",
        offset: field.start)
    }
    var part = cursor.part(range)
    return try part.bytes(range.count)
  }
}

extension ProtobufReader.Field {
  /// Where the field's bytes are.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when it holds a number.
  package var range: Range<Int> {
    get throws(CheckpointError) {
      if case .bytes(let range) = content { return range }
      throw CheckpointError(
        .malformed, "expected bytes in field \(number), found a number", offset: start)
    }
  }

  /// The field's integer, bits above 64 dropped.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when it holds something else.
  package var integer: UInt64 {
    get throws(CheckpointError) {
      if case .number(let number) = content { return number }
      throw CheckpointError(
        .malformed, "expected an integer in field \(number), found another kind", offset: start)
    }
  }

  /// The same as a signed number.
  package var signed: Int { get throws(CheckpointError) { Int(bitPattern: UInt(try integer)) } }
}
