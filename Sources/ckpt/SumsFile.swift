import CheckpointKit

/// A file of fingerprints or a manifest, as `ckpt hash` prints them, to be checked.
struct SumsFile {
  /// A line that can be checked.
  enum Line {
    /// The fingerprint that a checkpoint should have.
    case checkpoint(Digest, path: String)
    /// The digest, type, and shape that a tensor should have; the name is as a manifest spells it.
    case tensor(String, name: String)
  }

  private(set) var lines: [Line] = []
  /// Lines that are neither, with their numbers from 1.
  private(set) var malformed: [(number: Int, text: String)] = []

  /// The line of a checkpoint; one whose path has control characters, or bytes that are not UTF-8, begins
  /// with a backslash and has them escaped, as by `sha256sum` and `b3sum`.
  static func line(_ digest: Digest, _ path: String) -> String {
    if path.escapingControls.isSameText(path) { return "\(digest)  \(path)" }
    // By scalars: a backslash with an accent is another character.
    let doubled = path.unicodeScalars.flatMap { $0 == "\\" ? [$0, $0] : [$0] }
    return "\\\(digest)  \(String(String.UnicodeScalarView(doubled)).escapingControls)"
  }

  /// Parses lines of the forms `fingerprint  path` and `digest  dtype  shape  name`; empty lines and
  /// comments are skipped, as by `sha256sum`.
  ///
  /// A fingerprint may have its algorithm's name and a colon before it, which must be `algorithm`.
  init(_ text: String, _ algorithm: DigestAlgorithm) {
    let lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let line = line.last == 0x0d ? line.dropLast() : line
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      let text = String(decoding: line, as: UTF8.self)
      if let parsed = Line(text, algorithm) {
        self.lines.append(parsed)
      } else {
        malformed.append((index + 1, text))
      }
    }
  }
}

extension SumsFile.Line {
  /// Parses a line; `nil` if it is of neither form.
  fileprivate init?(_ line: String, _ algorithm: DigestAlgorithm) {
    let isEscaped = line.hasPrefix("\\")
    var text = isEscaped ? line.dropFirst() : line[...]
    let prefix = "\(algorithm.rawValue):"
    if text.hasPrefix(prefix) { text = text.dropFirst(prefix.count) }
    guard let digest = Digest(hexadecimal: String(text.prefix(64))) else { return nil }
    let rest = text.dropFirst(64)
    // Two spaces or, for what was read as binary, a space and an asterisk.
    guard rest.hasPrefix("  ") || rest.hasPrefix(" *"), rest.count > 2 else { return nil }
    let parts = rest.dropFirst(2).split(
      separator: "  ", maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count == 3, DType(rawValue: String(parts[0])) != nil, parts[1].hasPrefix("["),
      parts[1].hasSuffix("]")
    {
      self = .tensor("\(digest)  \(parts[0])  \(parts[1])", name: String(parts[2]))
    } else {
      let path = String(rest.dropFirst(2))
      guard let plain = isEscaped ? Self.unescaped(path) : path else { return nil }
      self = .checkpoint(digest, path: plain)
    }
  }

  /// The path that ``SumsFile/line(_:_:)`` escaped; `nil` for an escape that it does not make.
  private static func unescaped(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        bytes += String(scalar).utf8
        continue
      }
      switch rest.popFirst() {
      case "\\": bytes.append(UInt8(ascii: "\\"))
      case "n": bytes.append(UInt8(ascii: "\n"))
      case "r": bytes.append(UInt8(ascii: "\r"))
      case "t": bytes.append(UInt8(ascii: "\t"))
      case "x":
        guard let byte = UInt8(String(rest.prefix(2)), radix: 16) else { return nil }
        rest = rest.dropFirst(2)
        bytes.append(byte)
      case "u":
        guard rest.popFirst() == "{", let end = rest.firstIndex(of: "}"),
          let scalar = UInt32(String(rest[..<end]), radix: 16).flatMap(Unicode.Scalar.init)
        else { return nil }
        rest = rest[rest.index(after: end)...]
        bytes += String(scalar).utf8
      default: return nil
      }
    }
    return String(pathBytes: bytes)
  }
}
