internal import Glibc

/// `torch.erfinv`: the number whose error function is given.
///
/// What matters, in this order: PyTorch's bytes for what `float32` draws from (-1, 1) and from
/// ±erf(√2) give, which is what `trunc_normal_` of timm and of older releases of PyTorch asks;
/// elsewhere the nearest `float32`, and at most the next one to PyTorch's; speed.
///
/// PyTorch's x86 builds call Intel's MKL, whose `float32` results are the nearest float except for 3
/// in 10,000, where they are the second nearest: ``differences`` lists those of the draws. The list was
/// made on an AMD processor, where every setting of MKL's CPU path gave the same bytes. No listed
/// draw, and no other, lies closer than 2e-7 units in the last place to the middle between two floats,
/// so the bytes do not depend on the C library's logarithm. In `float64` results are within 1e-15 of
/// PyTorch's. Builds without MKL (ARM) differ by 1 unit in the last place.
///
/// Source: M. Giles, *Approximating the erfinv function*, GPU Computing Gems 2 (2010), the polynomials in
/// double precision.
enum InverseErrorFunction {
  /// The result for a `Double`.
  static func value(_ x: Double) -> Double {
    if abs(x) >= 1 { return abs(x) == 1 ? x * .infinity : .nan }
    let w = -log((1 - x) * (1 + x))
    if w < 6.25 { return polynomial(center, w - 3.125) * x }
    if w < 16 { return polynomial(middle, w.squareRoot() - 3.25) * x }
    return polynomial(tail, w.squareRoot() - 5) * x
  }

  /// The result for a `Float`, with PyTorch's rounding.
  static func value(_ x: Float) -> Float {
    let exact = value(Double(x))
    let nearest = Float(exact)
    // MKL's errors are below 0.002 units, so only what is nearly halfway may be listed.
    let rest = (exact - Double(nearest)) / Double(nearest.ulp)
    guard abs(rest) > 0.245, isListed(x.magnitude.bitPattern) else { return nearest }
    return exact > Double(nearest) ? nearest.nextUp : nearest.nextDown
  }

  private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
    var value = 0.0
    for coefficient in coefficients { value = value * x + coefficient }
    return value
  }

  private static func isListed(_ pattern: UInt32) -> Bool {
    var (low, high) = (0, listed.count)
    while low < high {
      let middle = (low + high) / 2
      if listed[middle] < pattern { low = middle + 1 } else { high = middle }
    }
    return low < listed.count && listed[low] == pattern
  }

  /// The patterns in ascending order.
  private static let listed: [UInt32] = {
    let digits = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var values = [UInt32](repeating: 0, count: 128)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt32(value) }
    var (patterns, last, difference, shift): ([UInt32], UInt32, UInt32, UInt32) = ([], 0, 0, 0)
    for digit in differences.utf8 where digit != UInt8(ascii: "\n") {
      let value = values[Int(digit)]
      difference |= (value & 31) << shift
      shift += 5
      guard value >= 32 else { continue }
      last += difference
      patterns.append(last)
      (difference, shift) = (0, 0)
    }
    return patterns
  }()

  private static let center = [
    -3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18,
    1.115787767802518096e-17, -1.333171662854620906e-16, 2.0972767875968561637e-17,
    6.6376381343583238325e-15, -4.0545662729752068639e-14, -8.1519341976054721522e-14,
    2.6335093153082322977e-12, -1.2975133253453532498e-11, -5.4154120542946279317e-11,
    1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08,
    4.2347877827932403518e-07, -1.3654692000834678645e-06, -1.3882523362786468719e-05,
    0.0001867342080340571352, -0.00074070253416626697512, -0.0060336708714301490533,
    0.24015818242558961693, 1.6536545626831027356,
  ]
  private static let middle = [
    2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07,
    1.8239629214389227755e-08, 1.5027403968909827627e-06, -4.013867526981545969e-06,
    2.9234449089955446044e-06, 1.2475304481671778723e-05, -4.7318229009055733981e-05,
    6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
    0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066,
    -0.0037512085075692412107, 0.005370914553590063617, 1.0052589676941592334,
    3.0838856104922207635,
  ]
  private static let tail = [
    -2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09,
    -3.7894654401267369937e-09, 7.6157012080783393804e-09, -1.4960026627149240478e-08,
    2.9147953450901080826e-08, -6.7711997758452339498e-08, 2.2900482228026654717e-07,
    -9.9298272942317002539e-07, 4.5260625972231537039e-06, -1.9681778105531670567e-05,
    7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026,
    1.0103004648645343977, 4.8499064014085844221,
  ]
}
