package import TensorCore

/// The element types that PyTorch draws random values in, and computes in; for all others its
/// kernels are "not implemented" (2.15, on a CPU).
enum DrawnType: Hashable, Sendable, CaseIterable {
  case float32, float64, bfloat16, float16

  var dtype: DType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .bfloat16: .bfloat16
    case .float16: .float16
    }
  }

  /// Finds the type; `nil` if PyTorch draws nothing in it.
  init?(_ dtype: DType) {
    guard let found = Self.allCases.first(where: { $0.dtype == dtype }) else { return nil }
    self = found
  }

  /// Words of the generator that one uniform takes.
  var wordsPerUniform: Int { self == .float64 ? 2 : 1 }

  /// The bits of a uniform's first word that decide about it: the high ones of 53 bits are the low
  /// 21 of that word.
  var decidedBits: Int { self == .float64 ? 21 : 24 }

  /// A bound on what a normal's value is rounded by, relative to it, the steps before included.
  var precision: Double {
    switch self {
    case .bfloat16: 0x1p-8
    case .float16: 0x1p-10
    case .float32: 0x1p-21
    case .float64: 0x1p-40
    }
  }
}

extension DType {
  /// The types that PyTorch draws random values in, and computes in.
  package static let drawable = DrawnType.allCases.map(\.dtype)

  /// Whether PyTorch draws random values in this type, and computes in it.
  package var isDrawable: Bool { DrawnType(self) != nil }
}

extension MutableRawSpan {
  /// Stores element number `index` of an array, rounded: all types but `float64` through `Float`.
  mutating func store(_ value: Double, as type: DrawnType, at index: Int) {
    switch type {
    case .float64: store(value.bitPattern, at: index)
    case .float32, .bfloat16, .float16: store(Float(value), as: type, at: index)
    }
  }

  /// Stores element number `index` of an array, rounded from `Float`.
  mutating func store(_ value: Float, as type: DrawnType, at index: Int) {
    switch type {
    case .float64: store(Double(value).bitPattern, at: index)
    case .float32: store(value.bitPattern, at: index)
    case .bfloat16: store(ElementConversion.bfloat16(rounding: value), at: index)
    case .float16: store(Float16(value).bitPattern, at: index)
    }
  }

  private mutating func store<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ bits: Bits, at index: Int
  ) {
    storeBytes(
      of: bits.littleEndian, toByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
  }
}
