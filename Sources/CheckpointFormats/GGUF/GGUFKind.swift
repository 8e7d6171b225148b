import ByteIO
import JSONText
import TensorCore

/// The kind of a metadata value, and the conversion of values to text and back, bit for bit.
///
/// Numbers are written in decimal, infinities and NaN as their bits, `0x7fc00000`; arrays are JSON.
/// Strings are unchanged, except that those that are not UTF-8 are written in hexadecimal.
struct GGUFKind: Hashable {
  /// The type of a value or of an element; raw values are ggml's numbers.
  enum Element: UInt32, CaseIterable {
    case u8, i8, u16, i16, u32, i32, f32, bool, string
    case u64 = 10
    case i64, f64

    /// Smallest size of a value in bytes.
    var size: Int {
      switch self {
      case .u8, .i8, .bool: 1
      case .u16, .i16: 2
      case .u32, .i32, .f32: 4
      case .u64, .i64, .f64, .string: 8
      }
    }
  }

  var element: Element
  var isArray = false
  /// Whether strings are written in hexadecimal.
  var isHexadecimal = false

  static let text = GGUFKind(element: .string)
  static let arrayNumber: UInt32 = 9

  init(element: Element, isArray: Bool = false) {
    self.element = element
    self.isArray = isArray
  }

  /// The kind's name, such as `u32`, `[f32]`, `string`, or `[hex]`.
  var name: String {
    let name = isHexadecimal ? "hex" : "\(element)"
    return isArray ? "[\(name)]" : name
  }

  /// Finds a kind by its name.
  init?(named name: String) {
    isArray = name.hasPrefix("[") && name.hasSuffix("]")
    let inner = isArray ? String(name.dropFirst().dropLast()) : name
    isHexadecimal = inner == "hex"
    guard
      let element = isHexadecimal
        ? .string : Element.allCases.first(where: { "\($0)" == inner })
    else { return nil }
    self.element = element
  }

  // MARK: - From a file

  /// Reads a value with its type from a header, as text.
  static func read(
    _ cursor: inout GGUFCursor
  ) throws(CheckpointError) -> (kind: GGUFKind, text: String) {
    let start = cursor.position
    let number = try cursor.number(UInt32.self)
    guard number == arrayNumber else {
      var kind = GGUFKind(element: try element(number, at: start))
      if kind.element == .string {
        let bytes = try cursor.text("a text")
        if let text = String(validating: bytes, as: UTF8.self) { return (kind, text) }
        kind.isHexadecimal = true
        return (kind, bytes.hexDigits())
      }
      return (kind, try kind.scalar(&cursor))
    }
    return try array(&cursor)
  }

  private static func element(
    _ number: UInt32, at position: Int
  ) throws(CheckpointError) -> Element {
    guard let element = Element(rawValue: number) else {
      throw CheckpointError(
        number == arrayNumber ? .unsupported : .malformed,
        number == arrayNumber
          ? "arrays of arrays are not supported"
          : "expected a metadata value of type 0 to 12, found \(number)",
        offset: position)
    }
    return element
  }

  private static func array(
    _ cursor: inout GGUFCursor
  ) throws(CheckpointError) -> (kind: GGUFKind, text: String) {
    let start = cursor.position
    var kind = GGUFKind(element: try element(try cursor.number(), at: start), isArray: true)
    let count = try cursor.count("elements of an array", size: kind.element.size)
    var json = JSONWriter()
    if kind.element == .string {
      var texts: [[UInt8]] = []
      for _ in 0..<count { texts.append(try cursor.text("a text")) }
      kind.isHexadecimal = texts.contains { String(validating: $0, as: UTF8.self) == nil }
      json.strings(
        texts.map {
          kind.isHexadecimal ? $0.hexDigits() : String(decoding: $0, as: UTF8.self)
        })
    } else {
      try json.array { json throws(CheckpointError) in
        for _ in 0..<count {
          let text = try kind.scalar(&cursor)
          // JSON has no infinity.
          if text.hasPrefix("0x") { json.string(text) } else { json.literal(text) }
        }
      }
    }
    return (kind, json.text)
  }

  private func scalar(_ cursor: inout GGUFCursor) throws(CheckpointError) -> String {
    switch element {
    case .u8: return "\(try cursor.number(UInt8.self))"
    case .i8: return "\(try cursor.number(Int8.self))"
    case .u16: return "\(try cursor.number(UInt16.self))"
    case .i16: return "\(try cursor.number(Int16.self))"
    case .u32: return "\(try cursor.number(UInt32.self))"
    case .i32: return "\(try cursor.number(Int32.self))"
    case .u64: return "\(try cursor.number(UInt64.self))"
    case .i64: return "\(try cursor.number(Int64.self))"
    case .f32:
      let bits = try cursor.number(UInt32.self)
      let value = Float(bitPattern: bits)
      return value.isFinite ? "\(value)" : "0x" + String(bits, radix: 16)
    case .f64:
      let bits = try cursor.number(UInt64.self)
      let value = Double(bitPattern: bits)
      return value.isFinite ? "\(value)" : "0x" + String(bits, radix: 16)
    case .bool:
      let start = cursor.position
      let value = try cursor.number(UInt8.self)
      guard value <= 1 else {
        throw CheckpointError(
          .malformed, "expected a truth value of 0 or 1, found \(value)", offset: start)
      }
      return value == 1 ? "true" : "false"
    case .string: return ""  // read where arrays and texts are
    }
  }

  // MARK: - To a file

  /// Appends the value written in a text, with its type; returns `false` if the text is not a value
  /// of this kind.
  func append(_ text: String, to bytes: inout [UInt8]) -> Bool {
    if !isArray {
      bytes.appendLittleEndian(element.rawValue)
      return append(element: text, to: &bytes)
    }
    guard case .array(let values)? = (try? JSONValue(text))?.content else { return false }
    bytes.appendLittleEndian(Self.arrayNumber)
    bytes.appendLittleEndian(element.rawValue)
    bytes.appendLittleEndian(UInt64(values.count))
    return values.allSatisfy { value in
      switch value.content {
      case .string(let text) where element == .string || text.hasPrefix("0x"):
        append(element: text, to: &bytes)
      case .number(let text) where element != .string && element != .bool:
        append(element: text, to: &bytes)
      case .bool(let truth) where element == .bool: append(element: "\(truth)", to: &bytes)
      default: false
      }
    }
  }

  private func append(element text: String, to bytes: inout [UInt8]) -> Bool {
    func add<Number: FixedWidthInteger>(_ number: Number?) -> Bool {
      guard let number else { return false }
      bytes.appendLittleEndian(number)
      return true
    }
    let bits = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : nil
    switch element {
    case .u8: return add(UInt8(text))
    case .i8: return add(Int8(text))
    case .u16: return add(UInt16(text))
    case .i16: return add(Int16(text))
    case .u32: return add(UInt32(text))
    case .i32: return add(Int32(text))
    case .u64: return add(UInt64(text))
    case .i64: return add(Int64(text))
    case .f32: return add(bits.map { UInt32(truncatingIfNeeded: $0) } ?? Float(text)?.bitPattern)
    case .f64: return add(bits ?? Double(text)?.bitPattern)
    case .bool: return add(text == "true" ? UInt8(1) : text == "false" ? 0 : nil)
    case .string:
      guard let content = isHexadecimal ? Self.bytes(hexadecimal: text) : Array(text.utf8) else {
        return false
      }
      bytes.appendLittleEndian(UInt64(content.count))
      bytes += content
      return true
    }
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[start..<start + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
