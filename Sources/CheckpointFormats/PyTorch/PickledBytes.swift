import Synchronization
import TensorCore

/// Bytes in a pickle: as they are, or as text in Latin-1, which protocols 0 to 2 write in UTF-8.
struct PickledBytes: Hashable, Sendable {
  /// Where they are in ``Pickle/bytes``.
  let stored: Range<Int>
  /// Whether each byte is a character of text.
  let isText: Bool
  /// Number of bytes that they stand for.
  let count: Int
}

extension Pickle {
  /// The bytes that a value describes; `nil` for other values.
  func pickledBytes(_ reference: Reference) -> PickledBytes? {
    switch self[reference] {
    case .bytes(let range), .text(let range):
      // A string of Python 2 is bytes, whether or not it could be text.
      return PickledBytes(
        stored: Int(range.lowerBound)..<Int(range.upperBound), isText: false, count: range.count)
    case .object(let index):
      let object = objects[index]
      guard let name = callee(object)?.fullName, let arguments = elements(object.arguments) else {
        return nil
      }
      return pickledBytes(name, arguments)
    default: return nil
    }
  }

  private func pickledBytes(_ name: String, _ arguments: [Reference]) -> PickledBytes? {
    switch (name, arguments.count) {
    case ("builtins.bytes", 0), ("__builtin__.bytes", 0), ("builtins.bytearray", 0):
      return PickledBytes(stored: 0..<0, isText: false, count: 0)
    case ("builtins.bytearray", 1), ("builtins.bytes", 1), ("__builtin__.bytes", 1):
      guard case .bytes(let range) = self[arguments[0]] else {
        return object(arguments[0]) == nil ? nil : pickledBytes(arguments[0])
      }
      return PickledBytes(
        stored: Int(range.lowerBound)..<Int(range.upperBound), isText: false, count: range.count)
    case ("_codecs.encode", 2), ("builtins.bytearray", 2), ("__builtin__.bytearray", 2):
      guard case .text(let range) = self[arguments[0]], let encoding = text(arguments[1]),
        encoding.hasPrefix("latin")
      else { return nil }
      let text = bytes[Int(range.lowerBound)..<Int(range.upperBound)]
      // Characters up to U+00FF begin with C2 or C3, and only those above U+007F have a second byte.
      var continuations = 0
      for byte in text where byte >= 0x80 {
        if byte < 0xc0 { continuations += 1 } else if byte > 0xc3 { return nil }
      }
      return PickledBytes(
        stored: text.startIndex..<text.endIndex, isText: continuations > 0,
        count: text.count - continuations)
    default: return nil
    }
  }

  /// All of them in memory.
  func array(_ pickled: PickledBytes) -> [UInt8] {
    let stored = bytes[pickled.stored]
    if !pickled.isText { return Array(stored) }
    var all: [UInt8] = []
    all.reserveCapacity(pickled.count)
    PickledText.decode(stored) { all.append($0) }
    return all
  }
}

/// Bytes that are written as text, read by position.
final class PickledText: Sendable {
  private let text: [UInt8]
  private let stored: Range<Int>
  /// Where every ``step``-th byte is in the text, found when something is read.
  private let starts: Mutex<[Int32]> = Mutex([])

  private static let step = 4096

  /// Bytes at `stored` in `text`, whose characters are at most U+00FF.
  init(_ text: [UInt8], _ stored: Range<Int>) { (self.text, self.stored) = (text, stored) }

  /// Calls `body` with the byte that each character stands for.
  static func decode(_ text: ArraySlice<UInt8>, _ body: (UInt8) -> Void) {
    var lead: UInt8 = 0
    for byte in text {
      if byte < 0x80 {
        body(byte)
      } else if byte >= 0xc0 {
        lead = byte
      } else {
        body(lead << 6 | byte & 0x3f)
      }
    }
  }

  /// Fills a span with the bytes starting at an offset.
  func read(at offset: Int, into target: inout MutableRawSpan) {
    let start = starts.withLock { starts in
      if starts.isEmpty { starts = found() }
      return Int(starts[offset / Self.step])
    }
    var skipped = offset % Self.step
    var position = start
    var lead: UInt8 = 0
    var filled = 0
    while filled < target.byteCount {
      let byte = text[position]
      position += 1
      if byte >= 0xc0 {
        lead = byte
        continue
      }
      if skipped > 0 {
        skipped -= 1
        continue
      }
      target.storeBytes(
        of: byte < 0x80 ? byte : lead << 6 | byte & 0x3f, toByteOffset: filled, as: UInt8.self)
      filled += 1
    }
  }

  private func found() -> [Int32] {
    var starts: [Int32] = []
    var count = 0
    for position in stored where text[position] & 0xc0 != 0x80 {
      if count % Self.step == 0 { starts.append(Int32(position)) }
      count += 1
    }
    return starts.isEmpty ? [0] : starts
  }
}
