import TensorCore

/// Reads the index's canonical JSON: what is not spelt just so is refused, so that every reader
/// sees the same and no text can be read in two ways.
struct IndexScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Takes `literal` if it comes next.
  mutating func take(_ literal: String) -> Bool {
    guard bytes[position...].starts(with: literal.utf8) else { return false }
    position += literal.utf8.count
    return true
  }

  /// Takes `literal`, which must come next.
  mutating func expect(_ literal: String) throws(CheckpointError) {
    if !take(literal) { throw refusal("'\(literal)' is required") }
  }

  /// Takes items separated by commas up to `end`; the opening mark is taken already.
  mutating func list(
    endingWith end: String, _ item: (inout IndexScanner) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    if take(end) { return }
    repeat { try item(&self) } while take(",")
    try expect(end)
  }

  /// Takes a whole number of 0 to 2^63 - 1, without leading zeros.
  mutating func number() throws(CheckpointError) -> Int {
    let start = position
    var value = 0
    while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10
    {
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(Int(digit))
      if overflow || carry { throw refusal("a number below 2^63 is required") }
      value = sum
      position += 1
    }
    if position == start || (position - start > 1 && bytes[start] == UInt8(ascii: "0")) {
      throw refusal("a whole number without sign or leading zeros is required")
    }
    return value
  }

  /// Takes a string in quotes.
  mutating func string(atMost limit: Int = .max) throws(CheckpointError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while true {
      let start = position
      while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\""),
        bytes[position] != UInt8(ascii: "\\")
      {
        position += 1
      }
      text.append(contentsOf: bytes[start..<position])
      if take("\"") { break }
      guard take("\\") else { throw refusal("the end of a string is required") }
      text.append(try escaped())
    }
    guard text.count <= limit else {
      throw refusal("a string of \(text.count) bytes, at most \(limit) are allowed")
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw refusal("a string that is no UTF-8")
    }
    return string
  }

  private mutating func escaped() throws(CheckpointError) -> UInt8 {
    if take("\"") { return UInt8(ascii: "\"") }
    if take("\\") { return UInt8(ascii: "\\") }
    if take("b") { return 0x08 }
    if take("t") { return 0x09 }
    if take("n") { return 0x0a }
    if take("f") { return 0x0c }
    if take("r") { return 0x0d }
    try expect("u00")
    var value: UInt8 = 0
    for _ in 0..<2 {
      guard position < bytes.count else { throw refusal("a hexadecimal digit is required") }
      switch bytes[position] {
      case let digit where (0x30...0x39).contains(digit): value = value << 4 | (digit - 0x30)
      case let digit where (0x61...0x66).contains(digit): value = value << 4 | (digit - 0x61 + 10)
      default: throw refusal("a hexadecimal digit is required")
      }
      position += 1
    }
    guard value < 0x20, ![0x08, 0x09, 0x0a, 0x0c, 0x0d].contains(value) else {
      throw refusal("an escape that the character does not need")
    }
    return value
  }

  /// Makes sure that nothing follows.
  func expectEnd() throws(CheckpointError) {
    if position != bytes.count { throw refusal("the end is required") }
  }

  private func refusal(_ wanted: String) -> CheckpointError {
    let rest = String(decoding: bytes[position...].prefix(16), as: UTF8.self)
    return CheckpointError(
      .malformed, "index, its byte \(position): \(wanted), '\(rest)' was found")
  }
}
