import CheckpointKit
import Glibc

/// Texts of numbers with fewer digits.
extension String {
  /// A number's text, or that of a complex number, with at most this many significant digits, as C's
  /// `%g` rounds them; texts of fewer digits, NaN, and infinity stay as they are.
  func rounded(toDigits digits: Int) -> String {
    if utf8.last == UInt8(ascii: "j") {
      let bytes = Array(utf8.dropLast())
      // The sign between the parts does not follow an exponent's `e`.
      let middle = bytes.indices.dropFirst().last {
        (bytes[$0] == UInt8(ascii: "+") || bytes[$0] == UInt8(ascii: "-"))
          && bytes[$0 - 1] != UInt8(ascii: "e")
      }
      guard let middle else { return self }
      let real = String(decoding: bytes[..<middle], as: UTF8.self).rounded(toDigits: digits)
      let rest = String(decoding: bytes[(middle + 1)...], as: UTF8.self).rounded(toDigits: digits)
      return real + (bytes[middle] == UInt8(ascii: "+") ? "+" : "-") + rest + "j"
    }
    let mantissa = utf8.prefix { $0 != UInt8(ascii: "e") }
    let known = mantissa.drop { !(UInt8(ascii: "1")...UInt8(ascii: "9") ~= $0) }
      .count { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard known > digits, let number = Double(self), number.isFinite else { return self }
    var target = [CChar](repeating: 0, count: 64)
    let count = unsafe withVaList([Int32(digits), number]) {
      unsafe vsnprintf(&target, target.count, "%.*g", $0)
    }
    guard count > 0, count < target.count else { return self }
    return String(decoding: target[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
