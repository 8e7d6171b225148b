/// Elements as `Double`, the type in which values are compared, summarized and shown.
///
/// Exact for every real type up to 53 significant bits; 64-bit integers beyond ±2^53 are rounded.
/// Complex elements give two values each, real part first.
public enum ElementConversion {
  /// Decodes little-endian elements of `dtype`, replacing what `values` held.
  ///
  /// `bytes` must hold a whole number of elements.
  public static func decode(_ bytes: RawSpan, as dtype: DType, into values: inout [Double]) {
    let element = dtype.element
    guard let coding = element.coding else {
      preconditionFailure("\(dtype.rawValue) has no values to read")
    }
    precondition(bytes.byteCount % element.block.bytes == 0, "part of an element")
    values.removeAll(keepingCapacity: true)
    coding.decode(bytes, into: &values)
  }

  /// Decodes little-endian elements of a real `dtype`, as many as `values` has, each to the nearest
  /// `Float`.
  package static func decode(
    _ bytes: RawSpan, as dtype: DType, into values: inout MutableSpan<Float>
  ) {
    precondition(bytes.byteCount == values.count * dtype.byteWidth, "span of another size")
    if let coding = dtype.element.coding as? any SingleReading.Type {
      return coding.decode(bytes, into: &values)
    }
    var numbers: [Double] = []
    decode(bytes, as: dtype, into: &numbers)
    for index in numbers.indices { values[index] = Float(numbers[index]) }
  }

  /// Encodes values as little-endian elements of a floating-point `dtype`.
  ///
  /// Rounds to nearest even; types of 16 and 8 bits are rounded from `Float`, and what is too large
  /// for them becomes what it becomes in PyTorch's `Tensor.to`: infinite, NaN, or, in
  /// `float8_e4m3fn`, the largest number. NaN stays NaN.
  /// - Returns: how many values the type was too small for.
  @discardableResult
  public static func encode(
    _ values: Span<Double>, as dtype: DType, into target: inout MutableRawSpan
  ) -> Int {
    precondition(target.byteCount == values.count * dtype.byteWidth, "span of another size")
    return floatCoding(dtype).encode(values, into: &target)
  }

  /// Rounds little-endian elements of one type to another that is floating-point, with the results
  /// of PyTorch's `Tensor.to`.
  ///
  /// - Returns: how many values the new type was too small for.
  package static func convert(
    _ bytes: RawSpan, from old: DType, to new: DType, into target: inout MutableRawSpan
  ) -> Int {
    // The pairs that are usual have no detour, which takes several times as long.
    if (old, new) == (.float32, .bfloat16) { return roundToBFloat16(bytes, into: &target) }
    if (old, new) == (.bfloat16, .float32) { return widenBFloat16(bytes, into: &target) }
    if let source = old.element.coding as? any SingleReading.Type,
      let result = new.element.coding as? any SingleCoding.Type
    {
      return convertThroughFloat(
        bytes, source, width: old.byteWidth, result, width: new.byteWidth, into: &target)
    }
    var values: [Double] = []
    decode(bytes, as: old, into: &values)
    return encode(values.span, as: new, into: &target)
  }

  /// The bits of the bfloat16 nearest to a float, ties to even; NaN becomes the quiet NaN 0x7fc0.
  package static func bfloat16(rounding value: Float) -> UInt16 {
    if value.isNaN { return 0x7fc0 }
    let bits = value.bitPattern
    // Adds half a unit less one bit, and that bit if the result's last bit is 1: ties go to even. A
    // carry out of the mantissa raises the exponent, up to infinity, which is right.
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  private static func floatCoding(_ dtype: DType) -> any FloatCoding.Type {
    guard let coding = dtype.element.coding as? any FloatCoding.Type else {
      preconditionFailure("\(dtype.rawValue) is not the target of a conversion")
    }
    return coding
  }

  /// Converts in parts that stay in the first cache.
  private static func convertThroughFloat(
    _ bytes: RawSpan, _ source: any SingleReading.Type, width oldWidth: Int,
    _ result: any SingleCoding.Type, width newWidth: Int, into target: inout MutableRawSpan
  ) -> Int {
    let count = bytes.byteCount / oldWidth
    precondition(target.byteCount == count * newWidth, "span of another size")
    var scratch = [Float](repeating: 0, count: min(count, 4096))
    var overflows = 0
    for start in stride(from: 0, to: count, by: 4096) {
      let end = min(start + 4096, count)
      var all = scratch.mutableSpan
      var values = all._mutatingExtracting(0..<end - start)
      source.decode(bytes.extracting(start * oldWidth..<end * oldWidth), into: &values)
      var part = target._mutatingExtracting(start * newWidth..<end * newWidth)
      overflows += result.encode(values.span, into: &part)
    }
    return overflows
  }

  private static func roundToBFloat16(_ bytes: RawSpan, into target: inout MutableRawSpan) -> Int {
    var overflows = 0
    for index in 0..<bytes.byteCount / 4 {
      let bits = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
      let rounded = bfloat16(rounding: Float(bitPattern: bits))
      target.storeBytes(of: rounded, toByteOffset: index * 2, as: UInt16.self)
      let isOverflow = rounded & 0x7fff == 0x7f80 && bits & 0x7fff_ffff < 0x7f80_0000
      overflows += isOverflow ? 1 : 0
    }
    return overflows
  }

  private static func widenBFloat16(_ bytes: RawSpan, into target: inout MutableRawSpan) -> Int {
    for index in 0..<bytes.byteCount / 2 {
      let bits = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
      target.storeBytes(of: UInt32(bits) << 16, toByteOffset: index * 4, as: UInt32.self)
    }
    return 0
  }
}
