package import TensorCore

/// Numbers, RFC 8259 section 6.
extension JSONScanner {
  /// Takes a number and returns it as it is spelled.
  package mutating func number() throws(CheckpointError) -> String {
    skipBlanks()
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    if position < bytes.count, bytes[position] == UInt8(ascii: "0"), isDigit(position + 1) {
      throw expected("a number without leading zeros")
    }
    try digits(ofNumberAt: start)
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      try digits(ofNumberAt: start)
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < bytes.count,
        bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      try digits(ofNumberAt: start)
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// Takes an integer from 0 to 2^63 - 1 that is spelled with digits alone.
  package mutating func wholeNumber() throws(CheckpointError) -> Int {
    skipBlanks()
    let start = position
    guard isDigit(start) else {
      let text = next() == .number ? try? number() : nil
      position = start
      throw wrong(text, at: start)
    }
    // Nearly all numbers are plain digits, which need no string.
    var (value, end) = (0, start)
    while end < bytes.count, end - start < 18, isDigit(end) {
      value = value * 10 + Int(bytes[end] - UInt8(ascii: "0"))
      end += 1
    }
    if end < bytes.count, bytes[end] == 0x2c || bytes[end] == 0x5d || bytes[end] == 0x7d,
      bytes[start] != UInt8(ascii: "0") || end == start + 1
    {
      position = end
      return value
    }
    let text = try number()
    guard let value = Int(text) else { throw wrong(text, at: start) }
    return value
  }

  private func wrong(_ text: String?, at start: Int) -> CheckpointError {
    let range = "an integer from 0 to 2^63 - 1"
    guard let text else { return expected(range) }
    return error(at: start, "expected \(range), found \(Self.shown(text))")
  }

  private func isDigit(_ index: Int) -> Bool {
    index < bytes.count && bytes[index].isDigit
  }

  private mutating func digits(ofNumberAt start: Int) throws(CheckpointError) {
    guard isDigit(position) else {
      position = start
      throw expected("a value")
    }
    while isDigit(position) { position += 1 }
  }
}
