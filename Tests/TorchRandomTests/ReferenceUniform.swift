/// PyTorch's uniform_, to be read; the product computes it in `uniform.c`.
enum ReferenceUniform {
  static func value(_ word: UInt32, from: Float, to: Float, fuses: Bool) -> Float {
    let unit = Float(word & 0xff_ffff) * 0x1p-24
    return fuses ? from.addingProduct(unit, to - from) : unit * (to - from) + from
  }

  static func float32(_ word: UInt32, from: Float, to: Float, fuses: Bool) -> Float {
    let value = value(word, from: from, to: to, fuses: fuses)
    return value == to ? from : value
  }

  static func float64(
    _ high: UInt32, _ low: UInt32, from: Double, to: Double, fuses: Bool
  ) -> Double {
    let unit = Double((UInt64(high) << 32 | UInt64(low)) & 0x1f_ffff_ffff_ffff) * 0x1p-53
    let value = fuses ? from.addingProduct(unit, to - from) : unit * (to - from) + from
    return value == to ? from : value
  }

  /// Of a 16-bit type, in which `to` is compared.
  static func rounded<Half: Equatable>(
    _ word: UInt32, from: Float, to: Float, fuses: Bool, _ round: (Float) -> Half
  ) -> Half {
    let value = round(value(word, from: from, to: to, fuses: fuses))
    return value == round(to) ? round(from) : value
  }
}
