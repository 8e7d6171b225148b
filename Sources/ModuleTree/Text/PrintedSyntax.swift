import TensorCore

/// The few forms of which a printed model consists.
extension PastedText {
  /// `(name): `, `(0-11): 12 x `, or `(name) - ` before a child.
  struct Key {
    /// The name between the parentheses.
    let name: Range<Int>
    /// How many equal children there are, for `12 x `.
    let count: Int?
    /// Offset of the child.
    let body: Int
    /// Whether arguments and result follow the child: `(0) - ReLU(): x -> x`, as torch_geometric's `Sequential` prints.
    let isCall: Bool
  }

  /// The key that begins at an offset.
  func key(at offset: Int) -> Key? {
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "(") else { return nil }
    var (end, depth) = (offset + 1, 0)
    while end < bytes.count {
      switch bytes[end] {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "\n"): return nil
      default: break
      }
      if depth < 0 { break }
      end += 1
    }
    let after = skippingBlanks(end + 1, lines: false)
    guard end < bytes.count, after < bytes.count else { return nil }
    let isCall = bytes[after] == UInt8(ascii: "-") && after > end + 1
    guard isCall || bytes[after] == UInt8(ascii: ":") else { return nil }
    let body = skippingBlanks(after + 1, lines: false)
    let (count, child) = repetition(at: body) ?? (nil, body)
    return Key(name: (offset + 1)..<end, count: count, body: child, isCall: isCall)
  }

  /// The number in `12 x `, and what follows.
  private func repetition(at offset: Int) -> (count: Int?, body: Int)? {
    var end = offset
    while end < bytes.count, bytes[end].isDigit { end += 1 }
    let cross = skippingBlanks(end, lines: false)
    guard end > offset, cross > end, cross + 1 < bytes.count, bytes[cross] == UInt8(ascii: "x"),
      bytes[cross + 1].isBlank
    else { return nil }
    return (Int(text(offset..<end)) ?? .max, skippingBlanks(cross + 1, lines: false))
  }

  /// The class name and the parenthesis of a module that begins at an offset; PyTorch before 0.4
  /// prints a blank between them.
  func module(at offset: Int) -> (name: Range<Int>, open: Int)? {
    if isPartial(offset) { return nil }
    var end = offset
    while end < bytes.count, !bytes[end].endsName { end += 1 }
    let open = skippingBlanks(end, lines: false)
    guard end > offset, open < bytes.count, bytes[open] == UInt8(ascii: "(") else { return nil }
    return (offset..<end, open)
  }

  /// The word before an offset and the blanks before that, from `start` on; empty if there is none.
  func word(before offset: Int, from start: Int) -> Range<Int> {
    var end = offset
    while end > start, bytes[end - 1].isBlank { end -= 1 }
    var begin = end
    while begin > start, bytes[begin - 1].isWord { begin -= 1 }
    return begin..<end
  }

  /// `name=Module(` before the parenthesis at an offset: a module that is printed as an argument.
  func argumentModule(
    at open: Int, from start: Int
  ) -> (name: Range<Int>, module: Int)? {
    var module = open
    while module > start, bytes[module - 1].isWord { module -= 1 }
    guard module < open, module > start, bytes[module - 1] == UInt8(ascii: "=") else {
      return nil
    }
    var name = module - 1
    while name > start, bytes[name - 1].isWord { name -= 1 }
    guard name < module - 1 else { return nil }
    let inside = skippingBlanks(open + 1, lines: true)
    let holdsChild = key(at: inside).map { self.module(at: $0.body) != nil } ?? false
    return holdsChild || KnownLayers.isOwner(text(module..<open))
      ? (name..<(module - 1), module) : nil
  }

  /// Whether `None` stands alone at an offset.
  func isNone(at offset: Int) -> Bool {
    guard bytes[offset...].starts(with: "None".utf8) else { return false }
    let end = offset + 4
    return end == bytes.count || bytes[end].endsName
  }

  /// Whether a call is one of a function, which owns nothing: `(2) - <function relu at 0x7f00>: x -> x`.
  func isFunction(_ key: Key) -> Bool {
    key.isCall && (bytes[key.body...].starts(with: "<".utf8) || isPartial(key.body))
  }

  /// Whether `functools.partial(…)` stands at an offset.
  private func isPartial(_ offset: Int) -> Bool {
    bytes[offset...].starts(with: "functools.partial(".utf8)
  }

  /// Whether a line's key is that of a bare parameter in a `ParameterList` or `ParameterDict`.
  func isParameter(at offset: Int) -> Bool {
    ["Parameter containing:", "Object of type:"].contains {
      bytes[offset...].starts(with: $0.utf8)
    }
  }

  /// The end of `init_cfg={…}`, which mmcv's modules print after themselves; `nil` if it is not there.
  func skippingInitialization(_ offset: Int) -> Int? {
    guard bytes[offset...].starts(with: "init_cfg=".utf8) else { return nil }
    var (index, depth) = (offset, 0)
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"):
        if depth == 0 { return index }
        depth -= 1
      case UInt8(ascii: "\n") where depth == 0: return index
      case UInt8(ascii: "'"), UInt8(ascii: "\""): index = quoteEnd(index) ?? index
      default: break
      }
      index += 1
    }
    return depth == 0 ? index : nil
  }

  /// The quote that ends the one at an offset, in the same line.
  func quoteEnd(_ offset: Int) -> Int? {
    var index = offset + 1
    while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
      if bytes[index] == bytes[offset] { return index }
      index += 1
    }
    return nil
  }
}

extension UInt8 {
  /// Whether no class name contains it.
  fileprivate var endsName: Bool {
    switch self {
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ":"), UInt8(ascii: ","),
      UInt8(ascii: "="), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "["),
      UInt8(ascii: "{"), UInt8(ascii: "\n"):
      true
    default: isBlank
    }
  }
}
