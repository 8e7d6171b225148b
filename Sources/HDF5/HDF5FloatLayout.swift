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
    guard let format = dtype.element.floatFormat else { return nil }
    switch format.specials {
    // HDF5 cannot say which patterns are NaN; those of `finite` are near enough to be read.
    case .ieee, .finite:
      let sign = format.mantissaBits + format.exponentBits
      self.init(
        size: format.byteWidth, sign: sign, exponent: format.mantissaBits..<sign,
        mantissa: 0..<format.mantissaBits, bias: format.bias)
    case .unsignedZero, .scale: return nil
    }
  }

  /// The dtype that has this layout, if there is one.
  package var dtype: DType? { Self.all.first { $0.layout == self }?.dtype }

  private static let all = DType.allCases.compactMap { dtype in
    HDF5FloatLayout(dtype).map { (dtype: dtype, layout: $0) }
  }
}
