/// PyTorch's vector normal in `float32`, to be read; the product computes it in `normal.c`.
///
/// Source: the polynomials of Julien Pommier's `avx_mathfun`, after Cephes, as PyTorch 2.15
/// compiles them for AVX2 with fused multiply-add.
enum ReferenceNormal {
  /// The sixteen values of each sixteen words.
  static func values(of words: [UInt32], mean: Float, deviation: Float) -> [Float] {
    func unit(_ index: Int) -> Float { Float(words[index] & 0xff_ffff) * 0x1p-24 }
    var values = [Float](repeating: 0, count: words.count)
    for block in stride(from: 0, to: words.count, by: 16) {
      for index in block..<block + 8 {
        let radius = (-2 * log(1 - unit(index))).squareRoot()
        let (sine, cosine) = sineAndCosine(Float(bitPattern: 0x40c9_0fdb) * unit(index + 8))
        values[index] = mean.addingProduct(radius * cosine, deviation)
        values[index + 8] = mean.addingProduct(radius * sine, deviation)
      }
    }
    return values
  }

  /// The natural logarithm of a number in `0 ... 1`, zero taken as the least normal number.
  static func log(_ number: Float) -> Float {
    let bits = max(number, .leastNormalMagnitude).bitPattern
    var exponent = Float(Int32(bits >> 23) - 127) + 1
    var fraction = Float(bitPattern: bits & 0x807f_ffff | 0x3f00_0000)
    let half = fraction
    fraction -= 1
    if half < Float(bitPattern: 0x3f35_04f3) {
      exponent -= 1
      fraction += half
    }
    let square = fraction * fraction
    var sum = Float(bitPattern: 0x3d90_21bb)
    sum = Float(bitPattern: 0xbdeb_d1b8).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0x3def_251a).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0xbdfe_5d4f).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0x3e11_e9bf).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0xbe2a_ae50).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0x3e4c_ceac).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0xbe7f_fffc).addingProduct(sum, fraction)
    sum = Float(bitPattern: 0x3eaa_aaaa).addingProduct(sum, fraction)
    sum *= fraction
    sum = (exponent * Float(bitPattern: 0xb95e_8083)).addingProduct(sum, square)
    sum.addProduct(square, -0.5)
    return (fraction + sum).addingProduct(exponent, Float(bitPattern: 0x3f31_8000))
  }

  /// Sine and cosine of an angle in `0 ... 2π`.
  static func sineAndCosine(_ angle: Float) -> (sine: Float, cosine: Float) {
    let octant = (Int32(angle * Float(bitPattern: 0x3fa2_f983)) + 1) & ~1
    let turns = Float(octant)
    // π/4 in three parts, so that the remainder keeps its last bits.
    var rest = angle.addingProduct(turns, Float(bitPattern: 0xbf49_0000))
    rest.addProduct(turns, Float(bitPattern: 0xb97d_a000))
    rest.addProduct(turns, Float(bitPattern: 0xb322_2169))
    let square = rest * rest

    var even = Float(bitPattern: 0xbab6_061a).addingProduct(Float(bitPattern: 0x37cc_f5ce), square)
    even = Float(bitPattern: 0x3d2a_aaa5).addingProduct(even, square)
    even *= square
    even = (-(square * 0.5)).addingProduct(even, square)
    even += 1

    var odd = Float(bitPattern: 0x3c08_839e).addingProduct(Float(bitPattern: 0xb94c_a1f9), square)
    odd = Float(bitPattern: 0xbe2a_aaa3).addingProduct(odd, square)
    odd *= square
    odd = rest.addingProduct(odd, rest)

    let swapped = octant & 2 != 0
    let sine = (swapped ? even : odd) + 0  // turns -0 into +0
    let cosine = (swapped ? odd : even) + 0
    return (octant & 4 != 0 ? -sine : sine, ~(octant - 2) & 4 != 0 ? -cosine : cosine)
  }
}
