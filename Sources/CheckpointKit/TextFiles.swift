import ByteIO
import TensorCore

/// Largest text file (model, recipe, map) that is read, in bytes.
private let largestText = 100_000_000

/// Reads a text file of ours whole, as UTF-8.
///
/// - Throws: `CheckpointError` when it cannot be read, is larger than 100 MB, or is not UTF-8.
package func readText(_ path: String) throws -> String {
  let file = try InputFile(path: path)
  guard file.size <= largestText else {
    throw CheckpointError(
      .unsupported, "found \(file.size) bytes, required a text of at most \(largestText)",
      path: path)
  }
  let bytes = try file.head(file.size)
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw CheckpointError(.malformed, "found bytes that are not UTF-8, required text", path: path)
  }
  return text
}

extension StringProtocol {
  /// The text without spaces, tabs and carriage returns at its ends.
  package var trimmingBlanks: String {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool { [" ", "\t", "\r"].contains(scalar) }
    var scalars = unicodeScalars[...]
    while let first = scalars.first, isBlank(first) { scalars.removeFirst() }
    while let last = scalars.last, isBlank(last) { scalars.removeLast() }
    return String(String.UnicodeScalarView(scalars))
  }
}
