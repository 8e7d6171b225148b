/// The digests of a checkpoint's tensors, and the one digest of them all.
///
/// A tensor's digest is the BLAKE3 of its elements, row-major and little-endian. The manifest is one
/// line per tensor, sorted by the name's UTF-8 bytes; the fingerprint is the BLAKE3 of that text.
/// Both are the same whatever the container, its compression, and the machine, and both can be
/// computed by hand with `b3sum`; with SHA-256 instead, with `sha256sum`.
public struct Manifest: Sendable {
  /// One tensor's line.
  public struct Line: Sendable {
    /// Name of the tensor.
    public let name: TensorName
    /// Element type and shape.
    public let info: TensorInfo
    /// Digest of the elements.
    public let digest: Digest
  }

  /// Lines sorted by name.
  public let lines: [Line]
  /// How the tensors, and the manifest's text, are digested.
  public let algorithm: DigestAlgorithm

  /// The lines of these tensors, sorted.
  package init(
    _ tensors: some Sequence<(entry: Checkpoint.Entry, digest: Digest)>,
    algorithm: DigestAlgorithm = .blake3
  ) {
    self.algorithm = algorithm
    lines = tensors.map { Line(name: $0.entry.name, info: $0.entry.info, digest: $0.digest) }
      .sorted { $0.name < $1.name }
  }

  /// The digests that the checkpoint's file stores; `nil` unless it stores all of them.
  public init?(storedIn checkpoint: Checkpoint) {
    var tensors: [(entry: Checkpoint.Entry, digest: Digest)] = []
    for entry in checkpoint.entries {
      guard let digest = entry.storedDigest else { return nil }
      tensors.append((entry, digest))
    }
    self.init(tensors)
  }

  /// The lines `digest  dtype  shape  name`, each ended by a line feed.
  ///
  /// In a name, a backslash is written `\\` and a line feed `\n`, so that no name can pose as two lines.
  public var text: String {
    lines.reduce(into: "") { text, line in
      let shape = line.info.shape.map(String.init).joined(separator: ",")
      text += "\(line.digest)  \(line.info.dtype.rawValue)  [\(shape)]  "
      for scalar in line.name.text.unicodeScalars {
        switch scalar {
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        default: text.unicodeScalars.append(scalar)
        }
      }
      text += "\n"
    }
  }

  /// Digest of ``text``; that of BLAKE3 is what a ``Fingerprint`` holds.
  public var digest: Digest {
    var builder = DigestBuilder(algorithm)
    builder.update(text)
    return builder.finalize()
  }
}
