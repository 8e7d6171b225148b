/// Widths of text in a terminal, for tables.
extension String {
  /// Columns that the text takes on a terminal, without the escape sequences of ``Style``.
  var shownWidth: Int {
    if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return utf8.count }
    var width = 0
    var isEscape = false
    for scalar in unicodeScalars {
      if scalar == "\u{1b}" { isEscape = true }
      if !isEscape { width += scalar.shownWidth }
      if isEscape && scalar == "m" { isEscape = false }
    }
    return width
  }
}

extension Unicode.Scalar {
  /// Wide and full-width characters and whole blocks of them; source: Unicode 16, EastAsianWidth.txt.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff,
    0xa000...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19,
    0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18dff, 0x1aff0...0x1b2ff,
    0x1f200...0x1f265, 0x20000...0x3fffd,
  ]

  /// None for marks that stand on the character before, two for wide ones, else one.
  var shownWidth: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    // Vowels and final consonants of a Korean syllable that is spelled in parts.
    if (0x1160...0x11ff).contains(value) { return 0 }
    let isWide = Self.wide.contains { $0.contains(value) } || properties.isEmojiPresentation
    return isWide ? 2 : 1
  }
}
