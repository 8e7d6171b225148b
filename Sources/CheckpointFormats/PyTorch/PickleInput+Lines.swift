import TensorCore

/// Arguments that are lines, and integers of any length.
extension PickleInput {
  /// A line that is a string between quotes, its escapes interpreted as Python 2 wrote them.
  mutating func quoted() throws(CheckpointError) -> Pickle.Value {
    let line = try line()
    guard line.count >= 2, let quote = line.first, [0x22, 0x27].contains(quote),
      line.last == quote
    else { throw CheckpointError(.malformed, "a string has no quotes") }
    let inner = line[1..<line.count - 1]
    let range = try keep(
      inner.contains(PickleEscapes.mark) ? try PickleEscapes.string(inner) : Array(inner))
    return isText(kept[range]) ? .text(Self.compact(range)) : .bytes(Self.compact(range))
  }

  /// A line that is text in Latin-1 with escapes (`raw-unicode-escape`).
  mutating func unicode() throws(CheckpointError) -> Pickle.Value {
    let line = try line()
    let isPlain = !line.contains { $0 >= 0x80 || $0 == PickleEscapes.mark }
    return .text(Self.compact(try keep(isPlain ? line : try PickleEscapes.unicode(line[...]))))
  }

  mutating func memoKey() throws(CheckpointError) -> Int {
    guard case .int(let key) = try decimal(), key >= 0 else {
      throw CheckpointError(.malformed, "memo index must be a non-negative integer")
    }
    return key
  }

  /// A decimal number, possibly followed by `L`; `00` and `01` are the Booleans of protocol 0.
  mutating func decimal() throws(CheckpointError) -> Pickle.Value {
    var digits = try name()
    if digits == "00" || digits == "01" { return .bool(digits == "01") }
    if digits.hasSuffix("L") { digits.removeLast() }
    if let number = Int(digits) { return .int(number) }
    let isNumber =
      !digits.isEmpty && digits.utf8.allSatisfy { $0.isDigit || $0 == 0x2d }
    guard isNumber else {
      throw CheckpointError(.malformed, "'\(digits.prefix(20))' is not a number")
    }
    return .largeInt(nil)
  }

  mutating func decimalFloat() throws(CheckpointError) -> Double {
    let digits = try name()
    guard let number = Double(digits) else {
      throw CheckpointError(.malformed, "'\(digits.prefix(20))' is not a number")
    }
    return number
  }

  /// A little-endian two's complement integer of `count` bytes (`long1`, `long4`).
  mutating func integer(_ count: Int) throws(CheckpointError) -> Pickle.Value {
    if count == 0 { return .int(0) }
    guard count <= Self.longestKept else {
      _ = try skip(count)
      return .largeInt(nil)
    }
    let range = try keep(count)
    guard let last = kept.last else { return .int(0) }
    let isNegative = last >= 0x80
    let filler: UInt8 = isNegative ? 0xff : 0
    guard kept[range].dropFirst(8).allSatisfy({ $0 == filler }) else {
      return .largeInt(Self.compact(range))
    }
    // Bytes after the eighth only repeat the sign, so eight hold the number if their own sign
    // agrees.
    var number: UInt64 = isNegative ? .max : 0
    for (index, byte) in kept[range].prefix(8).enumerated() {
      number &= ~(0xff << UInt64(8 * index))
      number |= UInt64(byte) << UInt64(8 * index)
    }
    let value = Int(bitPattern: UInt(number))
    if count > 8 && (value < 0) != isNegative { return .largeInt(Self.compact(range)) }
    forget(after: range.lowerBound, distant.count)
    return .int(value)
  }
}
