import TensorCore

extension StringProtocol {
  /// The lines, ended by a line feed with or without a carriage return, blanks at their ends left
  /// out.
  ///
  /// Bytes are compared: to `String` a carriage return with its line feed is one other character.
  var trimmedLines: [String] {
    utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self).trimmingBlanks }
  }

  /// The text without spaces, tabs and carriage returns at its ends.
  var trimmingBlanks: String { trimming { [" ", "\t", "\r"].contains($0) } }
}
