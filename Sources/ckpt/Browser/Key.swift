/// A key as a terminal sends it.
enum Key: Equatable {
  case up, down, left, right
  case pageUp, pageDown, home, end
  case enter, escape, tab, backspace
  /// Ctrl-C, Ctrl-Z, and Ctrl-L.
  case interrupt, suspend, redraw
  case character(Unicode.Scalar)
  /// A sequence that stands for none of these.
  case other
}

/// Makes keys of the bytes that a terminal sends, which may be cut anywhere.
struct KeyDecoder {
  private var pending: [UInt8] = []

  /// Longest sequence that is waited for; a longer one is not a key's.
  private static let maxLength = 32

  /// Whether bytes are left of which more must follow, or the escape key alone.
  var isWaiting: Bool { !pending.isEmpty }

  /// The keys that are complete with more bytes.
  mutating func add(_ bytes: some Sequence<UInt8>) -> [Key] {
    pending += bytes
    var keys: [Key] = []
    while let (key, count) = Self.first(in: pending[...]) {
      keys.append(key)
      pending.removeFirst(count)
    }
    return keys
  }

  /// The keys that the bytes left are if nothing follows them.
  mutating func finish() -> [Key] {
    guard !pending.isEmpty else { return [] }
    defer { pending = [] }
    return [pending.count == 1 && pending[0] == 0x1b ? .escape : .other]
  }

  /// The first key and how many bytes it has; `nil` if more must follow.
  private static func first(in bytes: ArraySlice<UInt8>) -> (Key, Int)? {
    guard let first = bytes.first else { return nil }
    switch first {
    case 0x1b: return sequence(bytes)
    case 0x03: return (.interrupt, 1)
    case 0x1a: return (.suspend, 1)
    case 0x0c: return (.redraw, 1)
    case 0x06: return (.pageDown, 1)
    case 0x02: return (.pageUp, 1)
    case 0x09: return (.tab, 1)
    case 0x0a, 0x0d: return (.enter, 1)
    case 0x08, 0x7f: return (.backspace, 1)
    case 0x20..<0x7f: return (.character(Unicode.Scalar(first)), 1)
    case 0xc2...0xf4: return character(bytes)
    default: return (.other, 1)
    }
  }

  private static func character(_ bytes: ArraySlice<UInt8>) -> (Key, Int)? {
    let first = bytes[bytes.startIndex]
    let count = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    let text = bytes.prefix(count)
    if let bad = text.dropFirst().firstIndex(where: { !(0x80..<0xc0).contains($0) }) {
      return (.other, bad - bytes.startIndex)
    }
    guard text.count == count else { return nil }
    guard let scalar = String(validating: text, as: UTF8.self)?.unicodeScalars.first else {
      return (.other, count)
    }
    return (.character(scalar), count)
  }

  /// A sequence that begins with the escape character: `ESC [ … letter`, `ESC O letter`, or Alt and a key.
  private static func sequence(_ bytes: ArraySlice<UInt8>) -> (Key, Int)? {
    let rest = bytes.dropFirst()
    guard let second = rest.first else { return nil }
    switch second {
    case UInt8(ascii: "["), UInt8(ascii: "O"):
      let parameters = rest.dropFirst().prefix { (0x20..<0x40).contains($0) }
      let count = 2 + parameters.count
      guard let last = rest.dropFirst(1 + parameters.count).first else {
        return bytes.count > maxLength ? (.other, bytes.count) : nil
      }
      // A character that cannot be part of the sequence begins the next key.
      guard (0x40..<0x7f).contains(last) else { return (.other, count) }
      return (key(last, parameters), count + 1)
    case 0x1b: return (.escape, 1)
    default: return (.other, 2)
    }
  }

  private static func key(_ last: UInt8, _ parameters: ArraySlice<UInt8>) -> Key {
    switch last {
    case UInt8(ascii: "A"): return .up
    case UInt8(ascii: "B"): return .down
    case UInt8(ascii: "C"): return .right
    case UInt8(ascii: "D"): return .left
    case UInt8(ascii: "H"): return .home
    case UInt8(ascii: "F"): return .end
    case UInt8(ascii: "M"): return parameters.isEmpty ? .enter : .other
    case UInt8(ascii: "~"):
      switch String(decoding: parameters.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self) {
      case "1", "7": return .home
      case "4", "8": return .end
      case "5": return .pageUp
      case "6": return .pageDown
      default: return .other
      }
    default: return .other
    }
  }
}
