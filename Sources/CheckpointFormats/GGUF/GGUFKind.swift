import ByteIO
import JSONText
import TensorCore

/// The kind of a metadata value, and the conversion of values to the file's bytes and back.
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

  static let text = GGUFKind(element: .string)
  static let arrayNumber: UInt32 = 9

  init(element: Element, isArray: Bool = false) {
    self.element = element
    self.isArray = isArray
  }

  /// The kind's name, such as `u32`, `[f32]`, or `string`.
  var name: String { isArray ? "[\(element)]" : "\(element)" }

  /// Finds a kind by its name; `hex` is what earlier versions called strings that are not UTF-8.
  init?(named name: String) {
    isArray = name.hasPrefix("[") && name.hasSuffix("]")
    let inner = isArray ? String(name.dropFirst().dropLast()) : name
    guard
      let element = inner == "hex" ? .string : Element.allCases.first(where: { "\($0)" == inner })
    else { return nil }
    self.element = element
  }

  /// The kind that a value is written as if nothing else is known; `nil` if GGUF has none for it.
  init?(for value: Value) {
    switch value {
    case .bool: self.init(element: .bool)
    case .integer: self.init(element: .i64)
    case .real: self.init(element: .f64)
    case .text: self.init(element: .string)
    case .list(let elements):
      guard let first = elements.first else {
        self.init(element: .string, isArray: true)
        return
      }
      guard let kind = GGUFKind(for: first), !kind.isArray,
        elements.allSatisfy({ $0.kind == first.kind })
      else { return nil }
      self.init(element: kind.element, isArray: true)
    case .null, .bytes, .tuple, .dictionary, .opaque: return nil
    }
  }

  // MARK: - From a file

  /// Reads a value with its type from a header; one that there is no room for is opaque.
  static func read(
    _ cursor: inout GGUFCursor, _ room: inout ValueRoom
  ) throws(CheckpointError) -> (kind: GGUFKind, value: Value) {
    let start = cursor.position
    let number = try cursor.number(UInt32.self)
    guard number == arrayNumber else {
      let kind = GGUFKind(element: try element(number, at: start))
      _ = room.take()
      return (kind, try kind.scalar(&cursor))
    }
    let elementStart = cursor.position
    let kind = GGUFKind(
      element: try element(try cursor.number(), at: elementStart), isArray: true)
    let count = try cursor.count("elements of an array", size: kind.element.size)
    let isKept = room.take(count)
    var values: [Value] = []
    if isKept { values.reserveCapacity(count) }
    for _ in 0..<count {
      let value = try kind.scalar(&cursor)
      if isKept { values.append(value) }
    }
    return (kind, isKept ? .list(values) : .unread("\(kind.name) of \(count) elements"))
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

  private func scalar(_ cursor: inout GGUFCursor) throws(CheckpointError) -> Value {
    switch element {
    case .u8: return .integer(Int(try cursor.number(UInt8.self)))
    case .i8: return .integer(Int(try cursor.number(Int8.self)))
    case .u16: return .integer(Int(try cursor.number(UInt16.self)))
    case .i16: return .integer(Int(try cursor.number(Int16.self)))
    case .u32: return .integer(Int(try cursor.number(UInt32.self)))
    case .i32: return .integer(Int(try cursor.number(Int32.self)))
    case .u64:
      let number = try cursor.number(UInt64.self)
      return Int(exactly: number).map(Value.integer)
        ?? .opaque("u64", [.init("value", .text("\(number)"))])
    case .i64: return .integer(Int(try cursor.number(Int64.self)))
    case .f32: return .real(Double(widening: try cursor.number(UInt32.self)))
    case .f64: return .real(Double(bitPattern: try cursor.number(UInt64.self)))
    case .bool:
      let start = cursor.position
      let value = try cursor.number(UInt8.self)
      guard value <= 1 else {
        throw CheckpointError(
          .malformed, "expected a truth value of 0 or 1, found \(value)", offset: start)
      }
      return .bool(value == 1)
    case .string:
      let bytes = try cursor.text("a text")
      return String(validating: bytes, as: UTF8.self).map(Value.text) ?? .bytes(bytes)
    }
  }
}

extension Double {
  /// A 32-bit floating-point number, bit for bit: the processor would change some NaNs.
  init(widening bits: UInt32) {
    let value = Float(bitPattern: bits)
    guard value.isNaN else {
      self.init(value)
      return
    }
    let mantissa = UInt64(bits & 0x7f_ffff) << 29
    self.init(bitPattern: UInt64(bits >> 31) << 63 | 0x7ff << 52 | mantissa)
  }

  /// The bits of the nearest 32-bit number; of a NaN, those that ``init(widening:)`` made it of.
  var narrowedBits: UInt32 {
    guard isNaN else { return Float(self).bitPattern }
    let mantissa = UInt32(truncatingIfNeeded: bitPattern >> 29) & 0x7f_ffff
    return UInt32(bitPattern >> 63) << 31 | 0x7f80_0000 | (mantissa == 0 ? 0x40_0000 : mantissa)
  }
}
