/// Numbers as people read them.
extension BinaryInteger {
  /// Decimal, in groups of three digits: `25,557,032`.
  package var grouped: String {
    let digits = String(magnitude).utf8
    if digits.count <= 3 { return String(self) }
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
      text.unicodeScalars.append(Unicode.Scalar(digit))
    }
    return text
  }
}

extension Int {
  /// With a noun: `1 tensor`, `320 tensors`.
  package func pluralized(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }

  /// As a size in bytes: `97.8 MiB`.
  package var byteText: String {
    if self < 1024 { return "\(self) B" }
    var value = Double(self) / 1024
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
      if value < 1023.95 { return "\(value.rounded(toPlaces: 1)) \(unit)" }
      value /= 1024
    }
    return "\(value.rounded(toPlaces: 1)) PiB"
  }

  /// A number of bytes, from 1 KiB on in both forms: `112 bytes`, `2,048 bytes (2.0 KiB)`.
  package var byteCountText: String { pluralized("byte") + (self < 1024 ? "" : " (\(byteText))") }
}

extension Double {
  package func rounded(toPlaces places: Int) -> Double {
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale
  }

  /// Four significant digits as C's `%.4g` has them, for reports; `show` prints values in full.
  package var short: String {
    guard isFinite else { return description }
    guard self != 0 else { return "0" }
    // Powers of ten near the smallest numbers are not exact, so those are made larger first.
    var (value, exponent) = abs(self) < 1e-290 ? (self * 1e30, -30) : (self, 0)
    var scale = 1.0
    while abs(value) / scale >= 10 { (scale, exponent) = (scale * 10, exponent + 1) }
    while abs(value) / scale < 1 { (scale, exponent) = (scale / 10, exponent - 1) }
    value = (value / scale).rounded(toPlaces: 3)
    // 9.9996 has become 10: its first digit is one place further left.
    if abs(value) >= 10, exponent != 5 { (value, exponent) = (value / 10, exponent + 1) }
    guard (-4..<6).contains(exponent) else { return "\(value.withoutFraction)e\(exponent)" }
    let whole = rounded(toPlaces: Swift.max(3 - exponent, 0))
    if abs(whole) >= 1e6 { return whole < 0 ? "-1e6" : "1e6" }
    return whole.withoutFraction
  }

  /// The description, of a whole number without `.0`.
  private var withoutFraction: String {
    let text = description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
