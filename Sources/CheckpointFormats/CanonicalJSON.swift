/// JSON text in the making: no white space, escapes as Python's `json.dumps` has them with
/// `ensure_ascii=False`.
struct CanonicalJSON {
  /// The text so far, in UTF-8.
  private(set) var bytes: [UInt8] = []

  /// Adds text as it is.
  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Adds items with commas between them.
  mutating func append<Items: Collection>(
    list items: Items, _ item: (inout CanonicalJSON, Items.Element) -> Void
  ) {
    var isFirst = true
    for element in items {
      if !isFirst { append(",") }
      isFirst = false
      item(&self, element)
    }
  }

  /// Adds a string in quotes.
  mutating func append(string: String) {
    let digits = Array("0123456789abcdef".utf8)
    append("\"")
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x08: append("\\b")
      case 0x09: append("\\t")
      case 0x0a: append("\\n")
      case 0x0c: append("\\f")
      case 0x0d: append("\\r")
      case 0..<0x20:
        append("\\u00")
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    append("\"")
  }

  /// Adds an object of texts, sorted by the bytes of their keys.
  mutating func append(texts: [String: String]) {
    append("{")
    append(list: texts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      text, pair in
      text.append(string: pair.key)
      text.append(":")
      text.append(string: pair.value)
    }
    append("}")
  }
}
