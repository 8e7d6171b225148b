import TensorCore

/// The header field `Content-Range` of a server's answer (RFC 9110, section 14.4).
struct ContentRange: Equatable {
  /// The bytes that the answer holds; `nil` where the server has none of those that were requested.
  let bytes: Range<Int>?
  /// Size of the whole file; `nil` where the server does not know it.
  let total: Int?

  /// Parses `bytes 0-99/1234`, `bytes 0-99/*`, or `bytes */1234`; `nil` for anything else, such as a
  /// range outside of its file.
  init?(_ field: String) {
    let words = field.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
    let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    total = Self.number(parts[1])
    if parts[0] == "*" {
      guard total != nil else { return nil }
      bytes = nil
      return
    }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]),
      first <= last, last < Shape.limit, total != nil || parts[1] == "*", last < total ?? .max
    else { return nil }
    bytes = first..<last + 1
  }

  /// A number of digits only, no sign.
  private static func number(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }
}
