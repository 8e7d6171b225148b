/// The digest of a ``Manifest`` with the name of its algorithm, as files carry it: `blake3:5835…`.
///
/// The name is there so that a later algorithm can be told from this one.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  /// The key under which files carry it, in formats that have keys.
  public static let key = "ckpt.fingerprint"
  /// The algorithm of the fingerprints that are written.
  public static let algorithm = DigestAlgorithm.blake3.rawValue
  /// A text as long as any fingerprint, which is overwritten once the fingerprint is known.
  package static let placeholder = "\(algorithm):\(String(repeating: "0", count: 64))"

  /// BLAKE3 of the manifest's text.
  public let digest: Digest

  /// The fingerprint with a digest that is known.
  public init(_ digest: Digest) { self.digest = digest }

  /// The fingerprint of a manifest, whose algorithm must be BLAKE3.
  public init(_ manifest: Manifest) {
    precondition(manifest.algorithm == .blake3, "files carry BLAKE3")
    digest = manifest.digest
  }

  /// Parses `blake3:` and 64 hexadecimal digits.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for another algorithm, `malformed` for anything else.
  public init(_ text: String) throws(CheckpointError) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    let isNamed =
      parts.count == 2 && !parts[0].isEmpty
      && parts[0].utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
    if isNamed, parts[0] != Self.algorithm, parts[1].utf8.count >= 16,
      parts[1].utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
    {
      throw CheckpointError(.unsupported, "unknown fingerprint algorithm '\(parts[0])'")
    }
    guard isNamed, parts[0] == Self.algorithm, let digest = Digest(hexadecimal: parts[1]) else {
      throw CheckpointError(
        .malformed,
        "expected a fingerprint of the form \(Self.algorithm):HEX, found '\(text.shortened(to: 80))'"
      )
    }
    self.digest = digest
  }

  /// `blake3:` and 64 lowercase hexadecimal digits.
  public var description: String { "\(Self.algorithm):\(digest)" }
}
