import ByteIO
import JSONText
import TensorCore

/// Values in a file's bytes.
extension GGUFKind {
  /// Appends a value with its type; returns `false` if the value is not of this kind.
  func append(_ value: Value, to bytes: inout [UInt8]) -> Bool {
    if case .text(let text) = value, self != .text { return append(spelled: text, to: &bytes) }
    if !isArray {
      bytes.appendLittleEndian(element.rawValue)
      return append(element: value, to: &bytes)
    }
    guard case .list(let values) = value else { return false }
    bytes.appendLittleEndian(Self.arrayNumber)
    bytes.appendLittleEndian(element.rawValue)
    bytes.appendLittleEndian(UInt64(values.count))
    return values.allSatisfy { append(element: $0, to: &bytes) }
  }

  private func append(element value: Value, to bytes: inout [UInt8]) -> Bool {
    func add<Number: FixedWidthInteger>(_ type: Number.Type) -> Bool {
      guard case .integer(let integer) = value, let number = Number(exactly: integer) else {
        return false
      }
      bytes.appendLittleEndian(number)
      return true
    }
    switch (element, value) {
    case (.u8, _): return add(UInt8.self)
    case (.i8, _): return add(Int8.self)
    case (.u16, _): return add(UInt16.self)
    case (.i16, _): return add(Int16.self)
    case (.u32, _): return add(UInt32.self)
    case (.i32, _): return add(Int32.self)
    case (.u64, .opaque("u64", let members)):
      guard case .text(let digits)? = members.first?.value, let number = UInt64(digits) else {
        return false
      }
      bytes.appendLittleEndian(number)
    case (.u64, _): return add(UInt64.self)
    case (.i64, _): return add(Int64.self)
    case (.f32, .real(let number)): bytes.appendLittleEndian(number.narrowedBits)
    case (.f64, .real(let number)): bytes.appendLittleEndian(number.bitPattern)
    case (.bool, .bool(let truth)): bytes.append(truth ? 1 : 0)
    case (.string, .text(let text)):
      bytes.appendLittleEndian(UInt64(text.utf8.count))
      bytes += text.utf8
    case (.string, .bytes(let content)):
      bytes.appendLittleEndian(UInt64(content.count))
      bytes += content
    default: return false
    }
    return true
  }

  /// Appends a value that is spelled as text, as earlier versions kept all values.
  ///
  /// Numbers are decimal, other floating-point bits `0x7fc00000`, and arrays JSON.
  private func append(spelled text: String, to bytes: inout [UInt8]) -> Bool {
    guard isArray else {
      return value(spelled: text).map { append($0, to: &bytes) } ?? false
    }
    guard let elements = (try? JSONValue(text))?.elements else { return false }
    var values: [Value] = []
    for element in elements {
      switch element.content {
      case .string(let text) where self.element == .string: values.append(.text(text))
      case .string(let text), .number(let text):
        guard let value = value(spelled: text) else { return false }
        values.append(value)
      case .bool(let truth): values.append(.bool(truth))
      case .null, .array, .object: return false
      }
    }
    return append(.list(values), to: &bytes)
  }

  private func value(spelled text: String) -> Value? {
    let bits = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : nil
    switch element {
    case .u8, .i8, .u16, .i16, .u32, .i32, .i64: return Int(text).map(Value.integer)
    case .u64:
      return Int(text).map(Value.integer) ?? .opaque("u64", [.init("value", .text(text))])
    case .f32:
      return bits.map { .real(Double(widening: UInt32(truncatingIfNeeded: $0))) }
        ?? Float(text).map { .real(Double($0)) }
    case .f64: return bits.map { .real(Double(bitPattern: $0)) } ?? Double(text).map(Value.real)
    case .bool: return text == "true" ? .bool(true) : text == "false" ? .bool(false) : nil
    case .string: return nil
    }
  }
}
