import TensorCore

/// The text between a printed module's parentheses, as positional and named values.
///
/// `2, 3, kernel_size=(3, 3), mode='sum'` has the positional values `2` and `3`. Commas inside
/// brackets and quotes do not divide; a line break does.
package struct PrintedArguments {
  private struct Item {
    let name: String?
    let value: String
    let offset: Int
  }

  /// The text as it was printed.
  package let text: String
  private let items: [Item]
  private let positional: [Item]

  /// Largest size that is accepted, so that products of a few sizes cannot overflow.
  package static let maxSize = 1 << 40

  /// Divides the text.
  package init(_ text: String) {
    self.text = text
    let bytes = Array(text.utf8)
    var items: [Item] = []
    var start = 0
    var depth = 0
    var quote: UInt8?
    for (index, byte) in bytes.enumerated() {
      if let open = quote {
        if byte == open { quote = nil }
        continue
      }
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      case UInt8(ascii: ","), UInt8(ascii: "\n"):
        guard depth == 0 else { continue }
        Self.add(bytes[start..<index], to: &items)
        start = index + 1
      default: break
      }
    }
    Self.add(bytes[start...], to: &items)
    self.items = items
    positional = items.filter { $0.name == nil }
  }

  /// The name of a function that is called, without what qualifies it, and its arguments; `nil` for
  /// what is not a call.
  static func call(_ text: String) -> (name: String, arguments: PrintedArguments)? {
    guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return nil }
    let name = String(text[..<open]).trimmed
    return (
      name.split(separator: ".").last.map(String.init) ?? name,
      PrintedArguments(String(text[text.index(after: open)...].dropLast()))
    )
  }

  private static func add(_ bytes: ArraySlice<UInt8>, to items: inout [Item]) {
    let part = bytes.drop(while: \.isBlank)
    guard !part.isEmpty else { return }
    let name = part.prefix { $0.isLetter || $0.isDigit }
    // PyTorch before 0.4 prints `p = 0.5`.
    let sign = part[name.endIndex...].drop(while: \.isBlank)
    let isNamed = !name.isEmpty && sign.first == UInt8(ascii: "=")
    var value = isNamed ? sign.dropFirst().drop(while: \.isBlank) : part
    while value.last?.isBlank == true { value.removeLast() }
    items.append(
      Item(
        name: isNamed ? String(decoding: name, as: UTF8.self) : nil,
        value: String(decoding: value, as: UTF8.self), offset: part.startIndex))
  }

  /// The sizes in `320 -> 50`, as PyTorch before 0.4 prints a linear layer; `nil` for anything else.
  package var arrow: (inputs: Int, outputs: Int)? {
    let parts = text.split(separator: " ")
    guard parts.count == 3, parts[1] == "->", let inputs = Int(parts[0]),
      let outputs = Int(parts[2]), (0...Self.maxSize).contains(inputs),
      (0...Self.maxSize).contains(outputs)
    else { return nil }
    return (inputs, outputs)
  }

  /// How many values have no name.
  package var positionalCount: Int { positional.count }
  /// The values without a name, in order.
  var positionals: [String] { positional.map(\.value) }
  /// Names of the named values, in order.
  package var names: [String] { items.compactMap(\.name) }

  /// The value of a name as text; `nil` if it is not there.
  package func text(_ name: String) -> String? { items.first { $0.name == name }?.value }

  /// The whole number at a position.
  package func size(at position: Int, called name: String) throws(ArgumentError) -> Int {
    guard position < positional.count else {
      throw ArgumentError(
        offset: 0,
        message:
          "expected \(name) as argument \(position + 1), found \(positional.count) sizes in '\(text)'"
      )
    }
    return try Self.size(positional[position], called: name)
  }

  /// The whole number of a name, or its default; an error if there is neither.
  package func size(_ name: String, default standard: Int? = nil) throws(ArgumentError) -> Int {
    if let item = items.first(where: { $0.name == name }) {
      return try Self.size(item, called: name)
    }
    guard let standard else {
      throw ArgumentError(offset: 0, message: "expected \(name)=<number>, found '\(text)'")
    }
    return standard
  }

  /// The truth value of a name, or its default.
  package func flag(_ name: String, default standard: Bool) throws(ArgumentError) -> Bool {
    guard let item = items.first(where: { $0.name == name }) else { return standard }
    switch item.value {
    case "True": return true
    case "False": return false
    default:
      throw ArgumentError(
        offset: item.offset, message: "expected True or False, found \(name)=\(item.value)")
    }
  }

  /// The number of a name, or its default; `None` and anything else that is not a number give `nil`.
  package func number(_ name: String, default standard: Double?) -> Double? {
    text(name).map { Double($0) } ?? standard
  }

  /// The tuple of a name, or nothing where there is none.
  package func optionalSizes(_ name: String) throws(ArgumentError) -> [Int] {
    text(name) == nil ? [] : try sizes(name)
  }

  /// The tuple of a name.
  package func sizes(_ name: String) throws(ArgumentError) -> [Int] {
    guard let item = items.first(where: { $0.name == name }) else {
      throw ArgumentError(offset: 0, message: "expected \(name)=(<numbers>), found '\(text)'")
    }
    return try Self.sizes(item, called: name)
  }

  /// The tuple at a position.
  package func sizes(at position: Int, called name: String) throws(ArgumentError) -> [Int] {
    guard position < positional.count else {
      throw ArgumentError(offset: 0, message: "expected \(name) (<numbers>), found '\(text)'")
    }
    return try Self.sizes(positional[position], called: name)
  }

  /// A whole number, or one as NumPy 2 prints it, `np.int64(3)`.
  private static func number(_ text: Substring) -> Int? {
    guard text.hasSuffix(")"), let open = text.firstIndex(of: "("),
      ["np.int", "numpy.int", "np.uint"].contains(where: { text.hasPrefix($0) })
    else { return Int(text) }
    return Int(text[text.index(after: open)...].dropLast())
  }

  private static func size(_ item: Item, called name: String) throws(ArgumentError) -> Int {
    guard let size = number(item.value[...]), (0...maxSize).contains(size) else {
      throw ArgumentError(
        offset: item.offset,
        message: "expected a whole number from 0 to 2^40, found \(name) \(item.value)")
    }
    return size
  }

  private static func sizes(_ item: Item, called name: String) throws(ArgumentError) -> [Int] {
    let value = item.value
    var inner = value[...]
    if inner.hasPrefix("torch.Size("), inner.hasSuffix(")") {
      inner = inner.dropFirst("torch.Size(".count).dropLast()
    }
    if (inner.hasPrefix("(") && inner.hasSuffix(")"))
      || (inner.hasPrefix("[") && inner.hasSuffix("]")), inner.utf8.count >= 2
    {
      inner = inner.dropFirst().dropLast()
    }
    let parts = inner.split(separator: ",").map { $0.drop { $0 == " " } }
    var sizes: [Int] = []
    for part in parts {
      guard let size = number(part), (0...maxSize).contains(size), parts.count <= 64 else {
        throw ArgumentError(
          offset: item.offset,
          message: "expected whole numbers from 0 to 2^40, found \(name) \(value)")
      }
      sizes.append(size)
    }
    return sizes
  }
}
