import ParallelWork
public import TensorCore

/// A fingerprint that a file carries, as it stands there: nothing has been compared.
public struct StoredFingerprint: Sendable, Hashable {
  /// What the file says; it may be malformed.
  public let text: String
  /// Names of the tensors that it covers, which are all of the file's.
  public let tensors: Set<TensorName>
  /// Name of the file among several with an index; `nil` for the file that was opened.
  public var file: String?

  /// Notes what a file says.
  public init(text: String, tensors: Set<TensorName>, file: String? = nil) {
    self.text = text
    self.tensors = tensors
    self.file = file
  }
}

/// How much of a file its own checksums cover, apart from a fingerprint.
public enum ChecksumCoverage: Int, Sendable, Comparable {
  /// Nothing, or only some structures.
  case none
  /// The bytes of every tensor, by CRC-32.
  case tensors
  /// Every byte of the file.
  case everything

  /// Whether it covers less.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Opened {
  /// Notes the fingerprint that the file carries, once its tensors are known.
  mutating func carry(_ text: String?) {
    guard let text else { return }
    fingerprints = [
      StoredFingerprint(text: text, tensors: Set(checkpoint.entries.map(\.name)))
    ]
  }

  /// Takes the fingerprint from values that have one: it is about the file, not a value in it.
  mutating func takeFingerprint() {
    let key = Fingerprint.key
    guard let stored = checkpoint.values.first(where: { $0.name == key }) else { return }
    checkpoint.values.removeAll { $0.name == key }
    if case .text(let text) = stored.value { carry(text) } else { carry("") }
  }
}

extension Checkpoint {
  /// The fingerprint of these tensors, `digest` giving that of each that has bytes.
  ///
  /// - Throws: ``CheckpointError`` when one is not known.
  func fingerprint(_ digest: (Int) -> Digest?) throws(CheckpointError) -> Fingerprint {
    var tensors: [(entry: Entry, digest: Digest)] = []
    tensors.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() {
      let known = entry.info.byteCount == 0 ? DigestBuilder().finalize() : digest(index)
      guard let known else {
        throw CheckpointError(.missing, "its bytes were not read", tensor: entry.name.text)
      }
      tensors.append((entry, known))
    }
    return Fingerprint(Manifest(tensors))
  }
}
