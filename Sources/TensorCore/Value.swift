/// Anything in a file that is not a tensor: an epoch, a learning rate, an attribute, a vocabulary.
///
/// A value is data and nothing else: what a file describes as an object of a class is only its class
/// name and its members, and nothing is ever called. Readers nest values at most 64 levels
/// deep and make no more of them than ``Budget`` allows.
public enum Value: Sendable, Equatable {
  /// Nothing: Python's `None`.
  case null
  /// A truth value.
  case bool(Bool)
  /// A 64-bit integer; larger ones are opaque.
  case integer(Int)
  /// A 64-bit floating-point number.
  case real(Double)
  /// A text.
  case text(String)
  /// Bytes that are not a text.
  case bytes([UInt8])
  /// Values in order.
  case list([Value])
  /// A Python tuple: a list whose length has a meaning.
  case tuple([Value])
  /// Keys and values in the file's order; keys are text in most files.
  case dictionary([Member])
  /// An object of the class or kind that the text names, with those of its members that are plain.
  case opaque(String, [Member])

  /// A key and its value.
  public struct Member: Sendable, Equatable {
    /// The key: text in most files, an integer in the state of PyTorch's optimizers.
    public let key: Value
    /// The value.
    public var value: Value

    /// Makes a member of its two parts.
    public init(_ key: Value, _ value: Value) {
      self.key = key
      self.value = value
    }

    /// Makes a member whose key is text.
    public init(_ key: String, _ value: Value) { self.init(.text(key), value) }

    /// The key as a component of an address: `lr`, `0`, `True`.
    public var name: String {
      switch key {
      case .text(let text): text
      case .bool(let value): value ? "True" : "False"
      default: key.shortText(limit: 200)
      }
    }
  }

  /// The kinds of value; raw values are the words that `ckpt ls --values` prints.
  public enum Kind: String, Sendable, CaseIterable, Encodable {
    /// The kind of the case of ``Value`` that has this name.
    case null, bool, integer, real, text, bytes, list, tuple, dictionary, opaque
  }

  /// A value that is in the file and was not read, in words.
  public static func unread(_ what: String) -> Value { .opaque(unreadMark + what, []) }

  /// Whether it stands for a value that was not read.
  public var isUnread: Bool { unreadReason != nil }

  /// Why it could not be read; `nil` for a value that was read.
  package var unreadReason: String? {
    guard case .opaque(let name, _) = self, name.hasPrefix(Self.unreadMark) else { return nil }
    return String(name.dropFirst(Self.unreadMark.count))
  }

  private static let unreadMark = "unread: "

  /// Stands for a tensor in a list or a dictionary, whose bytes are one of the checkpoint's entries.
  public static let tensor = Value.opaque("torch.Tensor", [])

  /// Deepest nesting of values that a reader makes.
  package static let maxDepth = 64

  /// What kind of value it is.
  public var kind: Kind {
    switch self {
    case .null: .null
    case .bool: .bool
    case .integer: .integer
    case .real: .real
    case .text: .text
    case .bytes: .bytes
    case .list: .list
    case .tuple: .tuple
    case .dictionary: .dictionary
    case .opaque: .opaque
    }
  }

  /// Whether it has no members, at no depth: a scalar, or lists of nothing but scalars.
  var isListed: Bool {
    switch self {
    case .null, .bool, .integer, .real, .text, .bytes: true
    case .opaque(_, let members): members.isEmpty
    case .list(let elements), .tuple(let elements): elements.allSatisfy(\.isListed)
    case .dictionary: false
    }
  }

  /// Equal if kinds and contents are; NaN equals NaN, and text is compared as UTF-8 bytes.
  public static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let one), .bool(let other)): one == other
    case (.integer(let one), .integer(let other)): one == other
    case (.real(let one), .real(let other)): one == other || (one.isNaN && other.isNaN)
    case (.text(let one), .text(let other)): one.utf8.elementsEqual(other.utf8)
    case (.bytes(let one), .bytes(let other)): one == other
    case (.list(let one), .list(let other)), (.tuple(let one), .tuple(let other)): one == other
    case (.dictionary(let one), .dictionary(let other)): one == other
    case (.opaque(let name, let one), .opaque(let otherName, let other)):
      name == otherName && one == other
    default: false
    }
  }
}

/// Counts the values that a reader makes, so that a small file cannot stand for any number of them.
package struct ValueRoom {
  private var left = Budget.current.maxValues
  /// Whether more values were asked for than there is room for.
  package private(set) var isExhausted = false

  /// Makes room for as many values as ``Budget/current`` allows.
  package init() {}

  /// Takes room for values; false if there is none left.
  package mutating func take(_ count: Int = 1) -> Bool {
    guard count <= left else {
      isExhausted = true
      return false
    }
    left -= count
    return true
  }
}
