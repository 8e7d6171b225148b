import Glibc
import JSONText

/// Numbers of a page: few digits, since a page has hundreds of thousands.
extension JSONWriter {
  /// Writes a number with five significant digits; `null` for one that is missing or not finite.
  mutating func measure(_ value: Double?) {
    guard let value, value.isFinite else { return null() }
    literal(Self.shortest(value))
  }

  /// Writes an array of such numbers under a key.
  mutating func measures(_ key: String, _ values: some Sequence<Double?>) {
    self.key(key)
    array { json in for value in values { json.measure(value) } }
  }

  /// Writes an array of integers under a key.
  mutating func counts(_ key: String, _ values: some Sequence<Int>) {
    self.key(key)
    numbers(values)
  }

  /// Digits and exponent, such as `12e-1`, without trailing zeros.
  private static func shortest(_ value: Double) -> String {
    if value == 0 { return "0" }
    // Powers of ten near the smallest numbers are not exact.
    guard abs(value) > 1e-280, abs(value) < 1e280 else { return "\(value)" }
    var exponent = Int(log10(abs(value)).rounded(.down)) - 4
    let scale = pow(10, Double(abs(exponent)))
    var digits = Int((exponent < 0 ? value * scale : value / scale).rounded())
    while digits % 10 == 0 { (digits, exponent) = (digits / 10, exponent + 1) }
    // Zeros are shorter than an exponent, up to a point.
    switch exponent {
    case 0: return "\(digits)"
    case 1...2: return "\(digits)" + String(repeating: "0", count: exponent)
    default: return "\(digits)e\(exponent)"
    }
  }
}
