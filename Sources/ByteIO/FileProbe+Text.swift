package import TensorCore

extension FileProbe {
  /// Largest text file (model, recipe, map) that is read, in bytes.
  private static let maxTextSize = 100_000_000

  /// The whole file as text, UTF-8 or, as PowerShell writes it, UTF-16; a byte order mark is left
  /// out.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be read, is larger than 100 MB, or is neither.
  package func text() throws(CheckpointError) -> String {
    try CheckpointError.placing(path: path) { () throws(CheckpointError) in
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
    }
  }

  /// The text of UTF-16; `nil` if it has no byte order mark and does not begin with ASCII.
  private static func utf16(_ bytes: [UInt8]) throws(CheckpointError) -> String? {
    // Every second byte of ASCII is 0, in UTF-32 three of four, and in UTF-8 none.
    let zeros = bytes.prefix(8).map { $0 == 0 }
    if bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff])
      || zeros.count == 8 && (zeros.prefix(4) + zeros.prefix(4)).elementsEqual(zeros)
        && [[true, true, true, false], [false, true, true, true]].contains(Array(zeros.prefix(4)))
    {
      throw CheckpointError(.malformed, "expected UTF-8 or UTF-16, found UTF-32; save it as UTF-8")
    }
    let isMarked = bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff])
    let isLittle = isMarked ? bytes[0] == 0xff : zeros.count == 8 && zeros[1]
    guard isMarked || zeros == (0..<8).map({ $0.isMultiple(of: 2) != isLittle }) else { return nil }
    let units = stride(from: isMarked ? 2 : 0, to: bytes.count - 1, by: 2).map { index in
      let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
      return isLittle ? second << 8 | first : first << 8 | second
    }
    guard bytes.count.isMultiple(of: 2), let text = String(validating: units, as: UTF16.self) else {
      throw CheckpointError(.malformed, "expected text, found bytes that are not UTF-16")
    }
    return text
  }
}
