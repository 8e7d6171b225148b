/// Elements as `Double`, the type in which values are compared, summarised and shown.
///
/// Exact for every real type up to 53 significant bits; 64-bit integers beyond ±2^53 are rounded.
/// Complex elements give two values each, real part first.
public enum ElementConversion {
  /// Decodes little-endian elements of `dtype`, replacing what `values` held.
  ///
  /// `bytes` must hold a whole number of elements.
  public static func decode(_ bytes: RawSpan, as dtype: DType, into values: inout [Double]) {
    precondition(dtype.isComputable, "\(dtype.rawValue) has no values to read")
    precondition(bytes.byteCount % dtype.byteWidth == 0, "part of an element")
    values.removeAll(keepingCapacity: true)
    switch dtype {
    case .bool: load(bytes, UInt8.self, &values) { $0 == 0 ? 0 : 1 }
    case .uint8: load(bytes, UInt8.self, &values) { Double($0) }
    case .int8: load(bytes, Int8.self, &values) { Double($0) }
    case .float8e5m2: load(bytes, UInt8.self, &values) { Double(float8e5m2($0)) }
    case .float8e4m3: load(bytes, UInt8.self, &values) { Double(float8e4m3($0)) }
    case .float8e8m0: load(bytes, UInt8.self, &values) { Double(float8e8m0($0)) }
    case .float8e4m3fnuz:
      load(bytes, UInt8.self, &values) { Double(float8fnuz($0, mantissaBits: 3)) }
    case .float8e5m2fnuz:
      load(bytes, UInt8.self, &values) { Double(float8fnuz($0, mantissaBits: 2)) }
    case .int16: load(bytes, Int16.self, &values) { Double($0) }
    case .uint16: load(bytes, UInt16.self, &values) { Double($0) }
    case .float16: load(bytes, UInt16.self, &values) { Double(Float16(bitPattern: $0)) }
    case .bfloat16:
      load(bytes, UInt16.self, &values) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int32: load(bytes, Int32.self, &values) { Double($0) }
    case .uint32: load(bytes, UInt32.self, &values) { Double($0) }
    case .float32, .complex64:
      load(bytes, UInt32.self, &values) { Double(Float(bitPattern: $0)) }
    case .float64, .complex128: load(bytes, UInt64.self, &values) { Double(bitPattern: $0) }
    case .int64: load(bytes, Int64.self, &values) { Double($0) }
    case .uint64: load(bytes, UInt64.self, &values) { Double($0) }
    default: break
    }
  }

  /// Encodes values as little-endian elements of a floating-point `dtype` of 16 to 64 bits.
  ///
  /// Rounds to nearest even; 16-bit types are rounded from `Float`, as PyTorch's `Tensor.to` does
  /// (`c10::Half`, `c10::BFloat16`). NaN stays NaN.
  /// - Returns: how many finite values became infinite.
  @discardableResult
  public static func encode(
    _ values: Span<Double>, as dtype: DType, into target: inout MutableRawSpan
  ) -> Int {
    precondition(canEncode(dtype), "\(dtype.rawValue) is no target of a conversion")
    precondition(target.byteCount == values.count * dtype.byteWidth, "span of another size")
    var overflows = 0
    for index in values.indices {
      let value = values[index]
      let isInfinite: Bool
      switch dtype {
      case .float64:
        target.storeBytes(of: value.bitPattern, toByteOffset: index * 8, as: UInt64.self)
        isInfinite = value.isInfinite
      case .float32:
        let bits = Float(value).bitPattern
        target.storeBytes(of: bits, toByteOffset: index * 4, as: UInt32.self)
        isInfinite = Float(value).isInfinite
      case .float16:
        let half = Float16(Float(value))
        target.storeBytes(of: half.bitPattern, toByteOffset: index * 2, as: UInt16.self)
        isInfinite = half.isInfinite
      default:
        let bits = bfloat16(rounding: Float(value))
        target.storeBytes(of: bits, toByteOffset: index * 2, as: UInt16.self)
        isInfinite = bits & 0x7fff == 0x7f80
      }
      if isInfinite && value.isFinite { overflows += 1 }
    }
    return overflows
  }

  /// Rounds little-endian elements of one type to another that ``canEncode(_:)`` holds for, as
  /// ``decode(_:as:into:)`` and ``encode(_:as:into:)`` do one after the other.
  ///
  /// - Returns: how many finite values became infinite.
  public static func convert(
    _ bytes: RawSpan, from old: DType, to new: DType, into target: inout MutableRawSpan
  ) -> Int {
    // The pairs that are usual have no detour, which takes several times as long.
    switch (old, new) {
    case (.float32, .bfloat16):
      var overflows = 0
      for index in 0..<bytes.byteCount / 4 {
        let bits = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
        let rounded = bfloat16(rounding: Float(bitPattern: bits))
        target.storeBytes(of: rounded, toByteOffset: index * 2, as: UInt16.self)
        let isOverflow = rounded & 0x7fff == 0x7f80 && bits & 0x7fff_ffff < 0x7f80_0000
        overflows += isOverflow ? 1 : 0
      }
      return overflows
    case (.bfloat16, .float32):
      for index in 0..<bytes.byteCount / 2 {
        let bits = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
        target.storeBytes(of: UInt32(bits) << 16, toByteOffset: index * 4, as: UInt32.self)
      }
      return 0
    default:
      var values: [Double] = []
      decode(bytes, as: old, into: &values)
      return encode(values.span, as: new, into: &target)
    }
  }

  /// Whether ``encode(_:as:into:)`` can produce this type.
  public static func canEncode(_ dtype: DType) -> Bool {
    [.float16, .bfloat16, .float32, .float64].contains(dtype)
  }

  /// The bits of the bfloat16 nearest to a float, ties to even; NaN becomes the quiet NaN 0x7fc0.
  public static func bfloat16(rounding value: Float) -> UInt16 {
    if value.isNaN { return 0x7fc0 }
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  /// Value of a `float8_e5m2` (OCP 8-bit floating point, 1.0): a float16 without its low byte.
  static func float8e5m2(_ bits: UInt8) -> Float { Float(Float16(bitPattern: UInt16(bits) << 8)) }

  /// Value of a `float8_e4m3fn` (OCP 8-bit floating point, 1.0): bias 7, no infinity, NaN 0x7f.
  static func float8e4m3(_ bits: UInt8) -> Float {
    let exponent = Int(bits >> 3 & 15)
    let mantissa = Float(bits & 7)
    let magnitude: Float
    switch (exponent, bits & 7) {
    case (15, 7): return .nan
    case (0, _): magnitude = mantissa / 512
    default:
      magnitude = (1 + mantissa / 8) * Float(sign: .plus, exponent: exponent - 7, significand: 1)
    }
    return bits & 0x80 == 0 ? magnitude : -magnitude
  }

  /// Value of a `float8_e8m0fnu` (OCP microscaling formats, 1.0): a power of two, NaN 0xff.
  static func float8e8m0(_ bits: UInt8) -> Float {
    bits == 0xff ? .nan : Float(sign: .plus, exponent: Int(bits) - 127, significand: 1)
  }

  /// Value of a `float8_e4m3fnuz` or `float8_e5m2fnuz` (Noune et al., 2022): the bias is one larger
  /// than usual, there is no infinity and no negative zero, whose bits are NaN.
  static func float8fnuz(_ bits: UInt8, mantissaBits: Int) -> Float {
    if bits == 0x80 { return .nan }
    let bias = mantissaBits == 3 ? 8 : 16
    let exponent = Int(bits & 0x7f) >> mantissaBits
    let mantissa = Int(bits) & (1 << mantissaBits - 1)
    let whole = exponent == 0 ? mantissa : mantissa + 1 << mantissaBits
    let magnitude = Float(
      sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: Float(whole))
    return bits & 0x80 == 0 ? magnitude : -magnitude
  }

  private static func load<Word: BitwiseCopyable>(
    _ bytes: RawSpan, _ type: Word.Type, _ values: inout [Double], _ value: (Word) -> Double
  ) {
    let width = MemoryLayout<Word>.size
    values.reserveCapacity(bytes.byteCount / width)
    for offset in stride(from: 0, to: bytes.byteCount, by: width) {
      values.append(value(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type)))
    }
  }
}
