extension DType {
  /// Elements of this type as text, each the shortest that reads back to the same value.
  ///
  /// Integers are exact; complex numbers are written `1.0+2.0j`, Booleans `true` and `false`.
  public func elementTexts(_ bytes: RawSpan) -> [String] {
    func map<Word: BitwiseCopyable>(_ type: Word.Type, _ text: (Word) -> String) -> [String] {
      let width = MemoryLayout<Word>.size
      return stride(from: 0, to: bytes.byteCount, by: width).map { offset in
        text(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
      }
    }
    func pairs(_ parts: [String]) -> [String] {
      stride(from: 0, to: parts.count, by: 2).map { index in
        let imaginary = parts[index + 1]
        return parts[index] + (imaginary.hasPrefix("-") ? "" : "+") + imaginary + "j"
      }
    }
    switch self {
    case .bool: return map(UInt8.self) { $0 == 0 ? "false" : "true" }
    case .uint8: return map(UInt8.self) { $0.description }
    case .int8: return map(Int8.self) { $0.description }
    case .float8e5m2: return map(UInt8.self) { ElementConversion.float8e5m2($0).description }
    case .float8e4m3: return map(UInt8.self) { ElementConversion.float8e4m3($0).description }
    case .float8e8m0: return map(UInt8.self) { ElementConversion.float8e8m0($0).description }
    case .float8e4m3fnuz:
      return map(UInt8.self) { ElementConversion.float8fnuz($0, mantissaBits: 3).description }
    case .float8e5m2fnuz:
      return map(UInt8.self) { ElementConversion.float8fnuz($0, mantissaBits: 2).description }
    case .int16: return map(Int16.self) { $0.description }
    case .uint16: return map(UInt16.self) { $0.description }
    case .float16: return map(UInt16.self) { Float16(bitPattern: $0).description }
    case .bfloat16: return map(UInt16.self) { Float(bitPattern: UInt32($0) << 16).description }
    case .int32: return map(Int32.self) { $0.description }
    case .uint32: return map(UInt32.self) { $0.description }
    case .float32: return map(UInt32.self) { Float(bitPattern: $0).description }
    case .complex64: return pairs(map(UInt32.self) { Float(bitPattern: $0).description })
    case .float64: return map(UInt64.self) { Double(bitPattern: $0).description }
    case .complex128: return pairs(map(UInt64.self) { Double(bitPattern: $0).description })
    case .int64: return map(Int64.self) { $0.description }
    case .uint64: return map(UInt64.self) { $0.description }
    default: return []  // no element of its own
    }
  }
}
