import ByteIO
package import TensorCore

/// Converts numbers from one type to another as HDF5 does: to the nearest, fractions of what becomes an
/// integer are dropped, and what is too large becomes the largest number or infinite.
///
/// Source: HDF5 1.14, `H5Tconv.c`.
package enum HDF5Numbers {
  /// Whether numbers of one type become numbers of another here.
  package static func converts(_ old: DType, to new: DType) -> Bool {
    if old == new { return true }
    switch (old.element.kind, new.element.kind) {
    case (.integer, .integer): return true
    case (.integer, .floatingPoint): return floats.contains(new)
    case (.floatingPoint, .floatingPoint): return floats.contains(old) && floats.contains(new)
    // HDF5 leaves open what becomes of float16 beyond the integers.
    case (.floatingPoint, .integer): return old == .float32 || old == .float64
    default: return false
    }
  }

  private static let floats: [DType] = [.float16, .float32, .float64]

  /// Converts little-endian numbers; `target` has as many elements as `bytes`.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for a NaN that should become an integer.
  package static func convert(
    _ bytes: [UInt8], from old: DType, to new: DType, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let (from, to) = (old.byteWidth, new.byteWidth)
    guard case .integer(let isSigned) = old.element.kind else {
      var numbers: [Double] = []
      ElementConversion.decode(bytes.rawBytes, as: old, into: &numbers)
      for (index, number) in numbers.enumerated() {
        store(try word(number, new), of: to, at: index * to, in: &target)
      }
      return
    }
    for index in 0..<bytes.count / from {
      var word: UInt64 = 0
      for byte in bytes[index * from..<(index + 1) * from].reversed() {
        word = word << 8 | UInt64(byte)
      }
      let unused = UInt64(64 - 8 * from)
      let result =
        isSigned
        ? self.word(Int64(bitPattern: word << unused) >> Int64(unused), new) : self.word(word, new)
      store(result, of: to, at: index * to, in: &target)
    }
  }

  private static func store(
    _ word: UInt64, of width: Int, at offset: Int, in target: inout MutableRawSpan
  ) {
    for byte in 0..<width {
      target.storeBytes(
        of: UInt8(truncatingIfNeeded: word >> UInt64(8 * byte)), toByteOffset: offset + byte,
        as: UInt8.self)
    }
  }

  /// The bits of an integer as a number of another type.
  private static func word(_ number: some FixedWidthInteger, _ dtype: DType) -> UInt64 {
    switch dtype.element.kind {
    case .integer(isSigned: false):
      let most = UInt64.max >> UInt64(64 - 8 * dtype.byteWidth)
      return min(UInt64(clamping: number), most)
    case .integer(isSigned: true):
      let most = Int64.max >> Int64(64 - 8 * dtype.byteWidth)
      return UInt64(bitPattern: max(min(Int64(clamping: number), most), -most - 1))
    default:
      if dtype == .float16 { return UInt64(Float16(number).bitPattern) }
      return dtype == .float32
        ? UInt64(Float(number).bitPattern) : Double(number).bitPattern
    }
  }

  /// The bits of a number as one of another type.
  private static func word(_ number: Double, _ dtype: DType) throws(CheckpointError) -> UInt64 {
    switch dtype.element.kind {
    case .integer(let isSigned):
      guard !number.isNaN else {
        throw CheckpointError(.unsupported, "NaN has no value as \(dtype.rawValue)")
      }
      // The bounds of 64 bits are exact as Double.
      if isSigned { return word(number >= 0x1p63 ? .max : Int64(max(number, -0x1p63)), dtype) }
      return word(number >= 0x1p64 ? .max : UInt64(max(number, 0)), dtype)
    default:
      if dtype == .float64 { return number.bitPattern }
      // What is beyond the largest number is infinite, even if that is the nearest.
      let infinity = number < 0 ? -Double.infinity : .infinity
      if dtype == .float16 {
        let isLarge = number.magnitude > Double(Float16.greatestFiniteMagnitude)
        return UInt64(Float16(isLarge ? infinity : number).bitPattern)
      }
      let isLarge = number.magnitude > Double(Float.greatestFiniteMagnitude)
      return UInt64(Float(isLarge ? infinity : number).bitPattern)
    }
  }
}
