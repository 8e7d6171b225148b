/// Bytes that one rank writes for the others, field by field.
package struct RecordWriter {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []

  /// Begins with nothing.
  package init() {}

  /// Adds a number in 8 bytes.
  package mutating func add(_ number: some FixedWidthInteger) {
    var rest = UInt64(truncatingIfNeeded: number)
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  /// Adds a number bit for bit.
  package mutating func add(_ number: Double) { add(number.bitPattern) }

  /// Adds a truth value.
  package mutating func add(_ truth: Bool) { bytes.append(truth ? 1 : 0) }

  /// Adds bytes and their number.
  package mutating func add(_ content: [UInt8]) {
    add(content.count)
    bytes += content
  }

  /// Adds a text.
  package mutating func add(_ text: String) { add(Array(text.utf8)) }

  /// Adds a value that may be absent.
  package mutating func add<Value>(
    _ value: Value?, _ body: (Value, inout RecordWriter) -> Void
  ) {
    add(value != nil)
    if let value { body(value, &self) }
  }
}

/// Reads what a ``RecordWriter`` of another rank wrote; that it is otherwise is our own mistake.
package struct RecordReader {
  private let bytes: [UInt8]
  private var position = 0

  /// Begins with the first field.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all fields were read.
  package var isAtEnd: Bool { position == bytes.count }

  /// The next number.
  package mutating func integer<Number: FixedWidthInteger>(
    _ type: Number.Type = Int.self
  ) -> Number {
    precondition(bytes.count - position >= 8, "a record ends before its last field")
    var number: UInt64 = 0
    for index in 0..<8 { number |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += 8
    return Number(truncatingIfNeeded: number)
  }

  /// The next number, bit for bit.
  package mutating func double() -> Double { Double(bitPattern: integer(UInt64.self)) }

  /// The next truth value.
  package mutating func truth() -> Bool {
    precondition(position < bytes.count, "a record ends before its last field")
    defer { position += 1 }
    return bytes[position] != 0
  }

  /// The next bytes.
  package mutating func content() -> [UInt8] {
    let count = integer()
    precondition(
      (0...bytes.count - position).contains(count), "a record ends before its last field")
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  /// The next text.
  package mutating func text() -> String { String(decoding: content(), as: UTF8.self) }

  /// The next value, if it is there.
  package mutating func optional<Value>(_ body: (inout RecordReader) -> Value) -> Value? {
    truth() ? body(&self) : nil
  }
}
