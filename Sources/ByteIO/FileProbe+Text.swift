package import TensorCore

extension FileProbe {
  /// Largest text file (model, recipe, map) that is read, in bytes.
  private static let maxTextSize = 100_000_000

  /// The whole file as UTF-8, without the byte order mark that some editors put first.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be read, is larger than 100 MB, or is not UTF-8.
  package func text() throws(CheckpointError) -> String {
    do throws(CheckpointError) {
      let source = try source
      guard source.size <= Self.maxTextSize else {
        throw CheckpointError(
          .unsupported,
          "expected a text of at most \(Self.maxTextSize) bytes, found \(source.size) bytes")
      }
      let bytes = try source.head(source.size)
      if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
        throw CheckpointError(.malformed, "expected UTF-8, found UTF-16 text")
      }
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
}
