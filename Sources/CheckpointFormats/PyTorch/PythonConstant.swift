import TensorCore

/// A constant in the source code of a TorchScript class: numbers, texts, and tuples and lists of such.
enum PythonConstant {
  /// The name and the value of a line `  name : Final[int] = 4`; `nil` for any other.
  static func definition(_ line: String) -> (name: String, value: Value)? {
    guard line.hasPrefix("  "), let colon = line.firstRange(of: " : Final["),
      let equals = line[colon.upperBound...].firstRange(of: "] = ")
    else { return nil }
    let name = line[..<colon.lowerBound].drop { $0 == " " }
    guard let value = value(line[equals.upperBound...]) else { return nil }
    return (String(name), value)
  }

  /// The value of an expression; `nil` if it is not a constant.
  static func value(_ text: Substring) -> Value? {
    let text = text.trimmingPrefix { $0 == " " }
    switch text.first {
    case "(", "[":
      guard text.last == (text.first == "(" ? ")" : "]") else { return nil }
      let parts = text.dropFirst().dropLast().split(separator: ",").filter { part in
        part.contains { $0 != " " }
      }
      // Nested ones do not occur, and would not be numbers here.
      let elements = parts.compactMap { value($0) }
      guard elements.count == parts.count else { return nil }
      return text.first == "(" ? .tuple(elements) : .list(elements)
    case "\"", "'":
      guard text.count > 1, text.last == text.first,
        !text.dropFirst().dropLast().contains(where: { $0 == "\\" || $0 == text.first })
      else { return nil }
      return .text(String(text.dropFirst().dropLast()))
    default:
      switch text {
      case "None": return .null
      case "True": return .bool(true)
      case "False": return .bool(false)
      default: return Int(text).map(Value.integer) ?? Double(text).map(Value.real)
      }
    }
  }
}
