public import TensorCore

extension MutableRawSpan {
  /// Stores element number `index` of an array of `float32`.
  mutating func store(_ value: Float, at index: Int) {
    storeBytes(of: value.bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
  }

  /// Stores element number `index` of an array of `float64`.
  mutating func store(_ value: Double, at index: Int) {
    storeBytes(of: value.bitPattern.littleEndian, toByteOffset: index * 8, as: UInt64.self)
  }

  /// Stores element number `index` of an array of a 16-bit type.
  mutating func store(_ bits: UInt16, at index: Int) {
    storeBytes(of: bits.littleEndian, toByteOffset: index * 2, as: UInt16.self)
  }

  /// Stores element number `index` of an array of `float32` or a 16-bit type.
  mutating func store(rounding value: Float, to dtype: DType, at index: Int) {
    switch dtype {
    case .float16: store(Float16(value).bitPattern, at: index)
    case .bfloat16: store(ElementConversion.bfloat16(rounding: value), at: index)
    default: store(value, at: index)
    }
  }
}

extension DType {
  /// The little-endian bytes of one element nearest to `value`; 16-bit types are rounded through
  /// `float32` first, as PyTorch's `fill_` does.
  ///
  /// - Throws: ``CheckpointError`` when an integer type cannot hold `value` exactly, or the type
  ///   is complex, a float of 8 bits or less, or quantised.
  public func element(nearest value: Double) throws(CheckpointError) -> [UInt8] {
    func whole<Integer: FixedWidthInteger>(
      _: Integer.Type
    ) throws(CheckpointError) -> [UInt8] {
      guard let exact = Integer(exactly: value) else {
        throw CheckpointError(.mismatched, "\(value) is not a value of \(torchName)")
      }
      return bytes(exact)
    }
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
      (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    switch self {
    case .float64: return bytes(value.bitPattern)
    case .float32: return bytes(Float(value).bitPattern)
    case .float16: return bytes(Float16(Float(value)).bitPattern)
    case .bfloat16: return bytes(ElementConversion.bfloat16(rounding: Float(value)))
    case .bool: return [value == 0 ? 0 : 1]
    case .uint8: return try whole(UInt8.self)
    case .int8: return try whole(Int8.self)
    case .int16: return try whole(Int16.self)
    case .uint16: return try whole(UInt16.self)
    case .int32: return try whole(Int32.self)
    case .uint32: return try whole(UInt32.self)
    case .int64: return try whole(Int64.self)
    case .uint64: return try whole(UInt64.self)
    default:
      throw CheckpointError(.unsupported, "\(torchName) tensors cannot be filled with a number")
    }
  }
}

/// Elements of floating-point tensors as `float64`, which holds those of every other dtype exactly.
extension DType {
  /// The value of this floating-point dtype nearest to `number`, 16-bit types through `float32`.
  ///
  /// One operation on two such values, done in `float64` and rounded so, is what the dtype's own
  /// arithmetic gives: 53 bits are more than twice 24 plus two.
  package func rounded(_ number: Double) -> Double {
    switch self {
    case .float64: number
    case .bfloat16:
      Double(Float(bitPattern: UInt32(ElementConversion.bfloat16(rounding: Float(number))) << 16))
    case .float16: Double(Float16(Float(number)))
    default: Double(Float(number))
    }
  }

  /// Element `index` of a floating-point tensor's bytes.
  package func number(at index: Int, in bytes: [UInt8]) -> Double {
    func bits<Bits: FixedWidthInteger>(_: Bits.Type) -> Bits {
      (0..<byteWidth).reduce(0) { $0 | Bits(bytes[index * byteWidth + $1]) << ($1 * 8) }
    }
    return switch self {
    case .float64: Double(bitPattern: bits(UInt64.self))
    case .bfloat16: Double(Float(bitPattern: UInt32(bits(UInt16.self)) << 16))
    case .float16: Double(Float16(bitPattern: bits(UInt16.self)))
    default: Double(Float(bitPattern: bits(UInt32.self)))
    }
  }

  /// Copies element `index` of one tensor's bytes to the same place of another's.
  package func copyElement(_ index: Int, from source: [UInt8], to target: inout [UInt8]) {
    for byte in index * byteWidth..<(index + 1) * byteWidth { target[byte] = source[byte] }
  }
}
