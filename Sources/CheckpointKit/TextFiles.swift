import ByteIO
import TensorCore

/// Largest text file (model, recipe, map) that is read, in bytes.
private let maxTextSize = 100_000_000

/// Reads a text file of ours whole, as UTF-8; `-` is standard input.
///
/// A byte order mark, which some editors put first, is left out.
/// - Throws: `CheckpointError` when it cannot be read, is larger than 100 MB, or is not UTF-8.
package func readText(_ path: String) throws -> String { try readText(try .argument(path)) }

/// Reads a text file whole that was opened to be recognized.
///
/// - Throws: as for a path.
func readText(_ probe: FileProbe) throws -> String {
  do {
    let file = try probe.source
    guard file.size <= maxTextSize else {
      throw CheckpointError(
        .unsupported, "expected a text of at most \(maxTextSize) bytes, found \(file.size) bytes")
    }
    let bytes = try file.head(file.size)
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw CheckpointError(.malformed, "expected UTF-8, found UTF-16 text")
    }
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let body = bytes.starts(with: mark) ? bytes[mark.count...] : bytes[...]
    guard let text = String(validating: body, as: UTF8.self) else {
      throw CheckpointError(.malformed, "expected text, found bytes that are not UTF-8")
    }
    return text
  } catch let error as CheckpointError {
    throw error.adding(path: probe.path)
  }
}

extension StringProtocol {
  /// The lines, ended by a line feed with or without a carriage return, blanks at their ends left
  /// out.
  ///
  /// Bytes are compared: to `String` a carriage return with its line feed is one other character.
  package var trimmedLines: [String] {
    utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self).trimmingBlanks }
  }

  /// The text without spaces, tabs and carriage returns at its ends.
  package var trimmingBlanks: String {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool { [" ", "\t", "\r"].contains(scalar) }
    var scalars = unicodeScalars[...]
    while let first = scalars.first, isBlank(first) { scalars.removeFirst() }
    while let last = scalars.last, isBlank(last) { scalars.removeLast() }
    return String(String.UnicodeScalarView(scalars))
  }
}
