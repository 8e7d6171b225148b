package import TensorCore

/// The bit fields of a float type, positions counted from the lowest bit.
package struct HDF5FloatLayout: Equatable {
  var size: Int
  var sign: Int
  var exponent: Range<Int>
  var mantissa: Range<Int>
  var bias: Int

  package init(size: Int, sign: Int, exponent: Range<Int>, mantissa: Range<Int>, bias: Int) {
    (self.size, self.sign, self.exponent) = (size, sign, exponent)
    (self.mantissa, self.bias) = (mantissa, bias)
  }

  /// The layout of a dtype; `nil` where HDF5 has no floating-point type with its values.
  init?(_ dtype: DType) {
    switch dtype {
    case .float8e5m2: self.init(size: 1, sign: 7, exponent: 2..<7, mantissa: 0..<2, bias: 15)
    case .float8e4m3: self.init(size: 1, sign: 7, exponent: 3..<7, mantissa: 0..<3, bias: 7)
    case .float16: self.init(size: 2, sign: 15, exponent: 10..<15, mantissa: 0..<10, bias: 15)
    case .bfloat16: self.init(size: 2, sign: 15, exponent: 7..<15, mantissa: 0..<7, bias: 127)
    case .float32: self.init(size: 4, sign: 31, exponent: 23..<31, mantissa: 0..<23, bias: 127)
    case .float64: self.init(size: 8, sign: 63, exponent: 52..<63, mantissa: 0..<52, bias: 1023)
    default: return nil
    }
  }

  /// The dtype that has this layout, if there is one.
  package var dtype: DType? { Self.all.first { $0.layout == self }?.dtype }

  private static let all = DType.allCases.compactMap { dtype in
    HDF5FloatLayout(dtype).map { (dtype: dtype, layout: $0) }
  }
}
