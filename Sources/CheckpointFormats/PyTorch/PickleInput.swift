import ByteIO
import TensorCore

/// A pickle's bytes and the reading position: parses the arguments of opcodes.
///
/// The pickle is read from its source piece by piece. Strings that values refer to are kept; long ones
/// of a long pickle stay where they are. Source: CPython 3.13 `Lib/pickletools.py`, whose argument
/// types the functions here follow.
struct PickleInput {
  /// A long string that is not kept.
  struct Distant: Sendable, Hashable {
    /// Where it is in the source.
    let range: Range<Int>
    /// Whether it is text.
    let isText: Bool
  }

  /// What the pickle is read from.
  let source: ByteSource
  /// The strings that values refer to, one after the other.
  private(set) var kept: [UInt8] = []
  /// The others.
  private(set) var distant: [Distant] = []
  /// Whether more bytes were wanted than there are.
  private(set) var isCut = false
  /// Fewest bytes of a string that is not kept.
  private let longest: Int
  /// Offset in the source of the pickle, and the end of what may be read.
  private let range: Range<Int>
  /// The bytes that were read last, where they begin in the source, and the next one of them.
  private var window: [UInt8] = []
  private var windowStart: Int
  private var index = 0
  private var windowSize = 1 << 8

  private static let maxWindow = 1 << 18
  /// Fewest bytes of a string that is not kept, of a pickle that may be large or is only searched.
  static let longestKept = 1 << 16
  /// Most bytes that are kept; ranges of them have 32 bits.
  private static let maxKept = 1 << 30

  /// Reads from the beginning of `range`; with `keepsAll` a pickle of up to ``Pickle/maxSize`` bytes
  /// keeps all strings.
  init(_ source: ByteSource, _ range: Range<Int>, keepsAll: Bool) {
    self.source = source
    self.range = range
    windowStart = range.lowerBound
    longest = keepsAll && range.count <= Pickle.maxSize ? .max : Self.longestKept
  }

  /// Whether all strings are kept, together at most three times ``Pickle/maxSize``.
  var keepsAll: Bool { longest == .max }

  /// Number of bytes that were read.
  var position: Int { windowStart + index - range.lowerBound }

  /// Longest line, which is in memory a few times while it is read.
  private var maxLine: Int { keepsAll ? Pickle.maxSize : 1 << 24 }

  private var rest: Int { range.upperBound - windowStart - index }

  /// Makes at least `count` bytes part of the window.
  private mutating func refill(_ count: Int) throws(CheckpointError) {
    guard count <= rest else { throw cut() }
    let start = windowStart + index
    windowSize = min(windowSize * 4, Self.maxWindow)
    window = try source.bytes(start..<start + min(max(count, windowSize), rest))
    (windowStart, index) = (start, 0)
  }

  private mutating func cut() -> CheckpointError {
    isCut = true
    return CheckpointError(.malformed, "the pickle is truncated")
  }

  /// `uint1`.
  mutating func byte() throws(CheckpointError) -> UInt8 {
    if index == window.count { try refill(1) }
    defer { index += 1 }
    return window[index]
  }

  /// A little-endian number: `uint2`, `int4`, `uint4`, `uint8`.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Number {
    let count = Number.bitWidth / 8
    if window.count - index < count { try refill(count) }
    defer { index += count }
    return window.littleEndian(type, at: index)
  }

  /// A count of bytes that follow.
  mutating func size<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Int {
    let number = try number(type)
    guard let size = Int(exactly: number), size >= 0 else {
      throw CheckpointError(.malformed, "expected a count of bytes, found \(number)")
    }
    return size
  }

  /// The size of a frame (PEP 3154), which has no meaning for a reader of the whole pickle.
  mutating func checkFrame() throws(CheckpointError) { _ = try size(UInt64.self) }

  /// Moves after `count` bytes, and returns where they are in the source.
  mutating func skip(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count <= rest else { throw cut() }
    let start = windowStart + index
    if count <= window.count - index {
      index += count
    } else {
      (window, windowStart, index) = ([], start + count, 0)
    }
    return start..<start + count
  }

  // MARK: - Strings

  /// Keeps the next `count` bytes.
  mutating func keep(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count <= rest else { throw cut() }
    try checkRoom(count)
    let start = kept.count
    while kept.count < start + count {
      if index == window.count { try refill(1) }
      let part = min(start + count - kept.count, window.count - index)
      kept += window[index..<index + part]
      index += part
    }
    return start..<start + count
  }

  /// Keeps bytes that stand for others.
  mutating func keep(_ bytes: [UInt8]) throws(CheckpointError) -> Range<Int> {
    try checkRoom(bytes.count)
    kept += bytes
    return kept.count - bytes.count..<kept.count
  }

  private func checkRoom(_ count: Int) throws(CheckpointError) {
    guard count <= Self.maxKept - kept.count else {
      throw CheckpointError(
        .unsupported, "the strings of the pickle have more than \(Self.maxKept) bytes")
    }
  }

  /// Bytes.
  mutating func bytes(_ count: Int) throws(CheckpointError) -> Pickle.Value {
    if count >= longest { return far(try skip(count), isText: false) }
    return .bytes(Self.compact(try keep(count)))
  }

  /// Text, which must be UTF-8.
  mutating func text(_ count: Int) throws(CheckpointError) -> Pickle.Value {
    guard let text = try textIfValid(count) else {
      throw CheckpointError(.malformed, "a string of \(count) bytes is not UTF-8")
    }
    return text
  }

  /// A `str` of Python 2, which is text or bytes.
  mutating func textOrBytes(_ count: Int) throws(CheckpointError) -> Pickle.Value {
    let start = (kept: kept.count, source: windowStart + index)
    if let text = try textIfValid(count) { return text }
    if count >= longest { return far(start.source..<start.source + count, isText: false) }
    return .bytes(Self.compact(start.kept..<kept.count))
  }

  /// The next `count` bytes as text; `nil` if they are not UTF-8, and then they have been read as well.
  private mutating func textIfValid(_ count: Int) throws(CheckpointError) -> Pickle.Value? {
    guard count >= longest else {
      let range = try keep(count)
      return isText(kept[range]) ? .text(Self.compact(range)) : nil
    }
    let range = try skip(count)
    var (position, isValid) = (range.lowerBound, true)
    while isValid, position < range.upperBound {
      let end = min(position + Self.maxWindow, range.upperBound)
      let part = try source.bytes(position..<end)
      // A character may begin before the end of a part and continue after it.
      var whole = part.count
      if end < range.upperBound {
        while whole > part.count - 4, part[whole - 1] & 0xc0 == 0x80 { whole -= 1 }
        if part[whole - 1] >= 0xc0 { whole -= 1 } else { whole = part.count }
      }
      isValid = isText(part[..<whole])
      position += whole
    }
    return isValid ? far(range, isText: true) : nil
  }

  private mutating func far(_ range: Range<Int>, isText: Bool) -> Pickle.Value {
    distant.append(Distant(range: range, isText: isText))
    return .distant(distant.count - 1)
  }

  func isText(_ text: ArraySlice<UInt8>) -> Bool {
    text.allSatisfy { $0 < 0x80 } || String(validating: text, as: UTF8.self) != nil
  }

  /// Cannot overflow: at most ``maxKept`` bytes are kept.
  static func compact(_ range: Range<Int>) -> Pickle.CompactRange {
    Int32(truncatingIfNeeded: range.lowerBound)..<Int32(truncatingIfNeeded: range.upperBound)
  }

  /// A kept string.
  func text(_ range: Pickle.CompactRange) -> String {
    String(decoding: kept[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
  }

  /// Gives up what was kept after the first `count` strings' bytes and `distantCount` long strings.
  mutating func forget(after count: Int, _ distantCount: Int) {
    kept.removeLast(kept.count - count)
    distant.removeLast(distant.count - distantCount)
  }

  // MARK: - Lines

  /// The bytes up to the next newline, which is consumed (`stringnl`).
  mutating func line() throws(CheckpointError) -> [UInt8] {
    var line: [UInt8] = []
    while true {
      if index == window.count { try refill(1) }
      if let end = window[index...].firstIndex(of: UInt8(ascii: "\n")) {
        line += window[index..<end]
        index = end + 1
        return line
      }
      line += window[index...]
      index = window.count
      guard line.count <= maxLine else {
        throw CheckpointError(
          .unsupported, "expected a line of at most \(maxLine) bytes, found a longer one")
      }
    }
  }

  /// A line as text.
  mutating func name() throws(CheckpointError) -> String {
    let line = try line()
    guard let text = String(validating: line, as: UTF8.self) else {
      throw CheckpointError(.malformed, "a string of \(line.count) bytes is not UTF-8")
    }
    return text
  }
}
