import Glibc

/// Paths as texts: on Linux they are bytes, and need not be UTF-8.
///
/// A byte that is not UTF-8 is written as two of the noncharacters U+FDD0 to U+FDEF, which Unicode keeps
/// for such uses inside of a program: one for its upper and one for its lower four bits. Their own bytes
/// are written likewise, so that each path has one text and each text of a path its bytes. Paths become
/// texts where they come in (arguments, environment, folders, links) and bytes where the system is
/// called; messages show `\xff`.
extension String {
  /// The text of a path.
  package init(pathBytes bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    if let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: \.isByteHalf)
    {
      self = text
      return
    }
    var text = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let scalar = (1...4).lazy.compactMap { count in
        String(validating: rest.prefix(count), as: UTF8.self)?.unicodeScalars.first
      }.first
      if let scalar, !scalar.isByteHalf {
        text.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        text.append(.upperHalf(first))
        text.append(.lowerHalf(first))
        rest = rest.dropFirst()
      }
    }
    self.init(text)
  }

  /// The text of the path that a C string holds.
  @unsafe
  package init(pathOf text: UnsafePointer<CChar>) {
    unsafe self.init(
      pathBytes: UnsafeBufferPointer(start: text, count: strlen(text)).map {
        UInt8(bitPattern: $0)
      })
  }

  /// The path's bytes.
  package var pathBytes: [UInt8] {
    guard unicodeScalars.contains(where: \.isByteHalf) else { return Array(utf8) }
    var bytes: [UInt8] = []
    forEachPathByte {
      bytes.append($0)
    } scalar: {
      bytes += String($0).utf8
    }
    return bytes
  }

  /// The path's bytes as a C string.
  package var systemPath: [CChar] { pathBytes.map { CChar(bitPattern: $0) } + [0] }

  /// The path as messages show it: `\xff` for a byte that is not UTF-8.
  package var shownPath: String { showingBytes("\\x") }

  /// The text with `prefix` and two hexadecimal digits for each byte that is not UTF-8.
  package func showingBytes(_ prefix: String) -> String {
    guard unicodeScalars.contains(where: \.isByteHalf) else { return self }
    var text = ""
    forEachPathByte {
      text += prefix + String($0, radix: 16)
    } scalar: {
      text.unicodeScalars.append($0)
    }
    return text
  }

  /// Whether no byte of the path had to be written as two scalars.
  package var isTextPath: Bool { shownPath.utf8.elementsEqual(utf8) }

  private func forEachPathByte(
    _ byte: (UInt8) -> Void, scalar other: (Unicode.Scalar) -> Void
  ) {
    var upper: Unicode.Scalar?
    for scalar in unicodeScalars {
      if let half = upper {
        upper = nil
        if let value = UInt8(half, scalar) {
          byte(value)
          continue
        }
        other(half)
      }
      // Bytes below 0x80 are UTF-8: no text stands for a slash or a zero.
      if (0xfdd8...0xfddf).contains(scalar.value) { upper = scalar } else { other(scalar) }
    }
    if let upper { other(upper) }
  }
}

extension Unicode.Scalar {
  /// Whether it may be half of a byte.
  fileprivate var isByteHalf: Bool { (0xfdd0...0xfdef).contains(value) }

  fileprivate static func upperHalf(_ byte: UInt8) -> Self { half(0xfdd0 + UInt32(byte >> 4)) }
  fileprivate static func lowerHalf(_ byte: UInt8) -> Self { half(0xfde0 + UInt32(byte & 15)) }
  private static func half(_ value: UInt32) -> Self { Self(value) ?? "?" }
}

extension UInt8 {
  /// The byte of two halves; `nil` for other scalars.
  fileprivate init?(_ upper: Unicode.Scalar, _ lower: Unicode.Scalar) {
    guard (0xfdd8...0xfddf).contains(upper.value), (0xfde0...0xfdef).contains(lower.value) else {
      return nil
    }
    self = UInt8(upper.value - 0xfdd0) << 4 | UInt8(lower.value - 0xfde0)
  }
}
