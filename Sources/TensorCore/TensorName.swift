/// A tensor's dotted name, compared as bytes.
///
/// Swift's `String` takes the composed and the decomposed spelling of `é` for equal, so a
/// dictionary keyed by `String` would silently lose a tensor. Names are UTF-8 byte strings.
public struct TensorName: Hashable, Comparable, Sendable, CustomStringConvertible,
  ExpressibleByStringLiteral
{
  /// The name as text.
  public let text: String

  /// Takes the text as it is.
  public init(_ text: String) { self.text = text }

  /// Takes a literal as it is.
  public init(stringLiteral value: String) { text = value }

  public var description: String { text }

  public static func == (left: Self, right: Self) -> Bool {
    let (left, right) = (left.text.utf8Span.span, right.text.utf8Span.span)
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
  }

  public static func < (left: Self, right: Self) -> Bool {
    let (left, right) = (left.text.utf8Span.span, right.text.utf8Span.span)
    let count = min(left.count, right.count)
    for index in 0..<count where left[index] != right[index] {
      return left[index] < right[index]
    }
    return left.count < right.count
  }

  public func hash(into hasher: inout Hasher) {
    // All bytes at once: a large file has millions of names.
    var text = text
    text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8(0xff))  // never a byte of UTF-8, so names cannot run together
  }

  /// The dotted name of something inside `path`, which is empty for the outermost module.
  package static func text(of name: String, in path: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }

  /// Everything before the last dot, and what follows it: `layer2.0.weight` → `layer2.0`, `weight`.
  package var parentAndLeaf: (parent: String, leaf: String) {
    guard let dot = text.utf8.lastIndex(of: UInt8(ascii: ".")) else { return ("", text) }
    return (String(text[..<dot]), String(text[text.utf8.index(after: dot)...]))
  }
}
