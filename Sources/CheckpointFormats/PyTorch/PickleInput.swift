import ByteIO
import TensorCore

/// A pickle's bytes and the reading position: parses the arguments of opcodes.
///
/// Source: CPython 3.13 `Lib/pickletools.py`, whose argument types the functions here follow.
struct PickleInput {
  /// The pickle's bytes, and after them the strings that had escapes, unescaped.
  private(set) var bytes: [UInt8]
  /// Number of bytes to read.
  private let limit: Int
  private(set) var position: Int
  /// Whether more bytes were wanted than there are.
  private(set) var isCut = false

  init(_ bytes: [UInt8], at start: Int) {
    self.bytes = bytes
    limit = bytes.count
    position = start
  }

  /// `uint1`.
  mutating func byte() throws(CheckpointError) -> UInt8 {
    guard position < limit else { throw cut() }
    defer { position += 1 }
    return bytes[position]
  }

  /// The bytes end in the middle of the pickle; ``PickleStream`` then reads more of the file.
  private mutating func cut() -> CheckpointError {
    isCut = true
    return CheckpointError(.malformed, "the pickle is truncated")
  }

  /// The range of the next `count` bytes.
  mutating func take(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count <= limit - position else { throw cut() }
    defer { position += count }
    return position..<position + count
  }

  /// A little-endian number: `uint2`, `int4`, `uint4`, `uint8`.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Number {
    bytes.littleEndian(type, at: try take(Number.bitWidth / 8).lowerBound)
  }

  /// A count of bytes that follow, at most ``Pickle/maxSize``.
  mutating func size<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Int {
    let number = try number(type)
    guard let size = Int(exactly: number), size >= 0, size <= Pickle.maxSize else {
      throw CheckpointError(
        .malformed, "expected a value of at most \(Pickle.maxSize) bytes, found \(number)")
    }
    return size
  }

  /// The size of a frame (PEP 3154), which has no meaning for a reader with the whole pickle.
  mutating func checkFrame() throws(CheckpointError) { _ = try size(UInt64.self) }

  /// The bytes up to the next newline, which is consumed (`stringnl`).
  mutating func line() throws(CheckpointError) -> Range<Int> {
    guard let end = bytes[position..<limit].firstIndex(of: UInt8(ascii: "\n")) else {
      throw cut()
    }
    defer { position = end + 1 }
    return position..<end
  }

  func text(_ range: Range<Int>) throws(CheckpointError) -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw CheckpointError(.malformed, "a string of \(range.count) bytes is not UTF-8")
    }
    return text
  }

  func text(_ range: Pickle.CompactRange) -> String {
    String(
      decoding: bytes[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
  }

  func textValue(_ range: Range<Int>) throws(CheckpointError) -> Pickle.Value {
    guard isText(range) else {
      throw CheckpointError(.malformed, "a string of \(range.count) bytes is not UTF-8")
    }
    return .text(Self.compact(range))
  }

  /// A `str` of Python 2, which is text or bytes.
  func textOrBytes(_ range: Range<Int>) -> Pickle.Value {
    isText(range) ? .text(Self.compact(range)) : .bytes(Self.compact(range))
  }

  func bytesValue(_ range: Range<Int>) -> Pickle.Value { .bytes(Self.compact(range)) }

  private func isText(_ range: Range<Int>) -> Bool {
    let text = bytes[range]
    return text.allSatisfy { $0 < 0x80 } || String(validating: text, as: UTF8.self) != nil
  }

  /// Cannot overflow, because a pickle has at most ``Pickle/maxSize`` bytes, and three times as many
  /// with its unescaped strings.
  private static func compact(_ range: Range<Int>) -> Pickle.CompactRange {
    Int32(truncatingIfNeeded: range.lowerBound)..<Int32(truncatingIfNeeded: range.upperBound)
  }

  /// The string between quotes, its escapes interpreted as Python 2 wrote them.
  mutating func quoted(_ range: Range<Int>) throws(CheckpointError) -> Range<Int> {
    guard range.count >= 2, let quote = bytes[range].first, [0x22, 0x27].contains(quote),
      bytes[range.upperBound - 1] == quote
    else { throw CheckpointError(.malformed, "a string has no quotes") }
    let inner = range.lowerBound + 1..<range.upperBound - 1
    guard bytes[inner].contains(PickleEscapes.mark) else { return inner }
    return appending(try PickleEscapes.string(bytes[inner]))
  }

  /// The text of a line, which is in Latin-1 with escapes (`raw-unicode-escape`).
  mutating func unicode(_ range: Range<Int>) throws(CheckpointError) -> Pickle.Value {
    guard bytes[range].contains(where: { $0 >= 0x80 || $0 == PickleEscapes.mark }) else {
      return .text(Self.compact(range))
    }
    return .text(Self.compact(appending(try PickleEscapes.unicode(bytes[range]))))
  }

  /// Puts bytes after the pickle's own.
  ///
  /// All together they are at most twice as many as those, since each comes from a line that is read
  /// once.
  private mutating func appending(_ new: [UInt8]) -> Range<Int> {
    bytes += new
    return bytes.count - new.count..<bytes.count
  }

  mutating func memoKey() throws(CheckpointError) -> Int {
    guard case .int(let key) = try decimal(), key >= 0 else {
      throw CheckpointError(.malformed, "memo index must be a non-negative integer")
    }
    return key
  }

  /// A decimal number, possibly followed by `L`; `00` and `01` are the Booleans of protocol 0.
  mutating func decimal() throws(CheckpointError) -> Pickle.Value {
    var digits = try text(try line())
    if digits == "00" || digits == "01" { return .bool(digits == "01") }
    if digits.hasSuffix("L") { digits.removeLast() }
    if let number = Int(digits) { return .int(number) }
    let isNumber =
      !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2d }
    guard isNumber else {
      throw CheckpointError(.malformed, "'\(digits.prefix(20))' is not a number")
    }
    return .largeInt(nil)
  }

  mutating func decimalFloat() throws(CheckpointError) -> Double {
    let digits = try text(try line())
    guard let number = Double(digits) else {
      throw CheckpointError(.malformed, "'\(digits.prefix(20))' is not a number")
    }
    return number
  }

  /// A little-endian two's complement integer of any length (`long1`, `long4`).
  func integer(_ range: Range<Int>) -> Pickle.Value {
    guard let last = bytes[range].last else { return .int(0) }
    let isNegative = last >= 0x80
    let filler: UInt8 = isNegative ? 0xff : 0
    guard bytes[range].dropFirst(8).allSatisfy({ $0 == filler }) else {
      return .largeInt(Self.compact(range))
    }
    // Bytes after the eighth only repeat the sign, so eight hold the number if their own sign
    // agrees.
    var number: UInt64 = isNegative ? .max : 0
    for (index, byte) in bytes[range].prefix(8).enumerated() {
      number &= ~(0xff << UInt64(8 * index))
      number |= UInt64(byte) << UInt64(8 * index)
    }
    let value = Int(bitPattern: UInt(number))
    return range.count > 8 && (value < 0) != isNegative
      ? .largeInt(Self.compact(range)) : .int(value)
  }
}
