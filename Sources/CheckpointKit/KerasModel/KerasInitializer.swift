import JSONText
import ModuleTree
import TensorCore

/// An initializer as Keras's description gives it: its name, and its values where they are one number.
///
/// Keras draws with its backend's generator (TensorFlow's, JAX's, or PyTorch's, each another one), so
/// that no seed tells the values; only constants are known. Source: Keras 3.15 `initializers/`.
struct KerasInitializer {
  /// Class, as Keras 3 spells it: `GlorotUniform`.
  let name: String
  /// Class and arguments: `RandomNormal(mean=0.0, stddev=0.05)`.
  var text: String { arguments.text.isEmpty ? name : "\(name)(\(arguments.text))" }
  private var arguments = KerasArguments()
  private var value: Double?

  /// Takes an object with a class and a configuration, or a class's short name.
  init(_ scanner: inout JSONScanner) throws(CheckpointError) {
    if scanner.next() == .string {
      name = Self.className(try scanner.string())
      return
    }
    var found: String?
    var arguments = KerasArguments()
    var value: Double?
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch (key, scanner.next()) {
      case ("class_name", .string): found = try scanner.string()
      case ("config", .string):
        let text = try scanner.string()
        found = found ?? text
      case ("config", .object):
        try scanner.object { scanner, key, _ throws(CheckpointError) in
          switch scanner.next() {
          case .number:
            let text = try scanner.number()
            if key == "value" { value = Double(text) }
            arguments.add(key, text)
          case .string: arguments.add(key, quoting: try scanner.string())
          case .bool: arguments.add(key, try scanner.bool() ? "True" : "False")
          default: try scanner.skip()
          }
        }
      default: try scanner.skip()
      }
    }
    name = Self.className(found ?? "")
    self.arguments = arguments
    self.value = value
  }

  /// Keras's short names, and TensorFlow's older ones, as classes.
  private static func className(_ text: String) -> String {
    let bare = KerasDescription.bareName(text)
    guard bare.utf8.contains(UInt8(ascii: "_")) || bare.utf8.first.map({ $0 > 90 }) == true else {
      return bare.isEmpty ? "an unnamed initializer" : bare.shortened(to: 80)
    }
    return bare.utf8.split(separator: UInt8(ascii: "_")).map { part in
      let word = String(Substring(part))
      return word.prefix(1).uppercased() + word.dropFirst()
    }.joined().shortened(to: 80)
  }

  /// The same values here, for those that are one number.
  var known: (any Initializer)? {
    switch name {
    case "Zeros", "Zero": Constant(0)
    case "Ones", "One": Constant(1)
    case "Constant": value.map { Constant($0) }
    default: nil
    }
  }
}

/// Arguments of a class in Python's way of writing, as far as they are plain and short.
struct KerasArguments {
  /// Most numbers of a list that is shown.
  static let maxNumbers = 8
  /// Longest text of one argument, and of all of them, in bytes.
  private static let (maxLength, maxTotal) = (64, 1024)

  private(set) var text = ""

  /// Adds an argument; one that is too long, or whose key is not a word, is left out.
  mutating func add(_ key: String, _ value: String) {
    let isWord = key.utf8.allSatisfy {
      $0 == UInt8(ascii: "_") || UnicodeScalar($0).properties.isAlphabetic || (48...57).contains($0)
    }
    guard isWord, key.utf8.count + value.utf8.count <= 2 * Self.maxLength,
      text.utf8.count + key.utf8.count + value.utf8.count < Self.maxTotal
    else { return }
    text += "\(text.isEmpty ? "" : ", ")\(key)=\(value)"
  }

  /// Adds a text, quoted.
  mutating func add(_ key: String, quoting value: String) {
    let isPlain = value.utf8.allSatisfy {
      $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\\")
    }
    if isPlain, value.utf8.count <= Self.maxLength { add(key, "'\(value)'") }
  }
}
