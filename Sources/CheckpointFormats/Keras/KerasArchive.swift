import ByteIO
import HDF5
import TensorCore

/// `.keras`: a zip archive of the model's description and one HDF5 file of weights.
///
/// Source: Keras 3.15 `saving/saving_lib.py`: `config.json`, `metadata.json` and
/// `model.weights.h5`, stored or deflated. The texts become metadata under the members' names.
/// Weights that are stored are read in their place; HDF5 is read by position, so deflated ones are
/// unpacked to a temporary file.
enum KerasArchive {
  static let weights: TensorName = "model.weights.h5"
  private static let texts = ["config.json", "metadata.json"]
  /// Longest text that becomes metadata, in bytes.
  private static let maxTextLength = 1 << 27
  /// Weights of more than this many bytes may not be more than this many times as large as stored.
  ///
  /// A rule of the format, not of the budget: Keras also refuses such archives.
  private static let (maxPackedSize, maxRatio) = (1 << 28, 100)

  /// Says whether a file is a zip archive with Keras's weights in it.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    guard candidate.head.starts(with: "PK".utf8),
      let archive = try? candidate.archive
    else { return false }
    return archive.member(named: weights) != nil
  }

  /// Opens an archive.
  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    let (path, archive) = (probe.path, try probe.archive)
    guard let member = archive.member(named: weights) else {
      throw CheckpointError(.missing, "expected a member '\(weights)', found none", path: path)
    }
    guard member.size <= maxPackedSize || member.size / maxRatio <= member.storedSize else {
      throw CheckpointError(
        .unsupported,
        "member '\(weights)' unpacks from \(member.storedSize) to \(member.size) bytes, more than "
          + "the allowed factor of \(maxRatio)", path: path)
    }
    var metadata = try ArchiveTexts.read(archive)
    for name in texts {
      guard let text = archive.member(named: TensorName(name)) else { continue }
      metadata[name] = String(
        decoding: try archive.bytes(text, limit: maxTextLength), as: UTF8.self)
    }
    if let file = try archive.file(of: member) {
      var opened = try open(file, options, metadata)
      // The sum is that of the whole and does not tell which tensors are damaged.
      if Rescue.current != nil { return opened }
      // What is read is checked before.
      opened.checkpoint.entries = opened.checkpoint.entries.map { entry in
        entry.wrappingReader { range, target, read in
          try archive.verify(member)
          try read(range, &target)
        }
      }
      return opened
    }
    return try open(try archive.unpacked(member), options, metadata)
  }

  private static func open(
    _ file: ByteSource, _ options: OpenOptions, _ metadata: [String: String]
  ) throws -> Opened {
    try KerasCheckpoint.open(HDF5Tensors(file), file.name, options, metadata: metadata) {
      table throws(CheckpointError) in KerasWeightsFile.content(of: table)
    }
  }
}
