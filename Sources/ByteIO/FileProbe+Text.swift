package import TensorCore

extension FileProbe {
  /// Largest text file (model, recipe, map) that is read, in bytes.
  private static let maxTextSize = 100_000_000

  /// The whole file as text, UTF-8 or, with a byte order mark as PowerShell writes it, UTF-16; the
  /// mark itself is left out.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be read, is larger than 100 MB, or is neither.
  package func text() throws(CheckpointError) -> String {
    do throws(CheckpointError) {
      let source = try source
      guard source.size <= Self.maxTextSize else {
        throw CheckpointError(
          .unsupported,
          "expected a text of at most \(Self.maxTextSize) bytes, found \(source.size) bytes")
      }
      let bytes = try source.head(source.size)
      if let text = try Self.utf16(bytes) { return text }
      let mark: [UInt8] = [0xef, 0xbb, 0xbf]
      let body = bytes.starts(with: mark) ? bytes[mark.count...] : bytes[...]
      guard let text = String(validating: body, as: UTF8.self) else {
        throw CheckpointError(.malformed, "expected text, found bytes that are not UTF-8")
      }
      return text
    } catch {
      throw error.adding(path: path)
    }
  }

  /// The text of UTF-16 with a byte order mark; `nil` without one.
  private static func utf16(_ bytes: [UInt8]) throws(CheckpointError) -> String? {
    let isLittle = bytes.starts(with: [0xff, 0xfe])
    guard isLittle || bytes.starts(with: [0xfe, 0xff]) else { return nil }
    let units = stride(from: 2, to: bytes.count - 1, by: 2).map { index in
      let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
      return isLittle ? second << 8 | first : first << 8 | second
    }
    guard bytes.count.isMultiple(of: 2), let text = String(validating: units, as: UTF16.self) else {
      throw CheckpointError(.malformed, "expected text, found bytes that are not UTF-16")
    }
    return text
  }
}
