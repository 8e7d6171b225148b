public import ByteIO
import ParallelWork
public import TensorCore

/// New bytes for some tensors of an existing file, of which everything else is kept: attributes,
/// other values, the order of keys, chunks, filters.
public struct Fill: Sendable {
  /// The file or the folder that is copied.
  public var template: FileProbe
  /// The part of the file whose tensors are named here; `nil` for the one that is opened without a key.
  public var key: String?
  /// The new tensors, by their names in the file; types and shapes are those of the file.
  public var tensors: [TensorName: Checkpoint.Entry]
  /// Texts to store under these keys where the file has free-form metadata that other readers ignore.
  public var metadata: [String: String] = [:]
  /// The fingerprint of all tensors, the new ones among them, for a file that carries one.
  ///
  /// It replaces that one; `nil` leaves it. See ``TensorCore/Fingerprint``.
  public var fingerprint: Fingerprint?
  /// The same for the files of a template that is several with an index, by file name.
  package var shardFingerprints: [String: Fingerprint] = [:]
  /// Number of worker threads; the bytes written do not depend on it.
  public var threads = 1

  /// Describes a copy of a file with new tensors.
  public init(
    template: FileProbe, key: String? = nil, tensors: [TensorName: Checkpoint.Entry],
    metadata: [String: String] = [:], fingerprint: Fingerprint? = nil, threads: Int = 1
  ) {
    self.template = template
    self.key = key
    self.tensors = tensors
    self.metadata = metadata
    self.fingerprint = fingerprint
    self.threads = threads
  }

  /// All texts to store.
  var texts: [String: String] {
    var texts = metadata
    if let fingerprint { texts[Fingerprint.key] = fingerprint.description }
    return texts
  }

  /// The same, every tensor checked against the one in the file, and tied names resolved: a tensor
  /// that shares its bytes with an earlier one is filled under that one's name.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `missing` for a name that the file does not have;
  ///   `mismatched` for another type or shape, or for tied names that get different tensors.
  package func resolved(in opened: Opened) throws -> Fill {
    var known: [TensorName: Checkpoint.Entry] = [:]
    for entry in opened.checkpoint.entries { known[entry.name] = entry }
    var resolved = self
    resolved.tensors = [:]
    // Names that share bytes: the original's own tensor counts, else the first in order.
    for name in tensors.keys.sorted() {
      guard let new = tensors[name] else { continue }
      guard let old = known[name] else {
        throw CheckpointError(
          .missing, "the file has no tensor of this name", tensor: name.text)
      }
      guard old.info == new.info else { throw Self.mismatch(old.info, new.info, tensor: name) }
      guard let original = old.alias, !opened.claimedTies.contains(name) else {
        resolved.tensors[name] = new
        continue
      }
      guard let other = tensors[original] ?? resolved.tensors[original] else {
        resolved.tensors[original] = new
        continue
      }
      guard try new.hasBytes(of: other) else {
        throw CheckpointError(
          .mismatched,
          "is one with '\(original)' in the file, but the two get different values",
          tensor: name.text)
      }
    }
    return resolved
  }

  /// The sentence about texts for which there is no room; `what` is the format with its verb.
  func lostMetadata(where what: String) -> [String] {
    if metadata.isEmpty { return [] }
    return ["\(what) no room for \(metadata.keys.sorted().joined(separator: " and "))"]
  }

  /// The error for a tensor that is not like the one in the file.
  static func mismatch(
    _ expected: TensorInfo, _ found: TensorInfo, tensor name: TensorName
  ) -> CheckpointError {
    let remedy =
      found.shape == expected.shape ? "; pass --dtype \(expected.dtype.torchName)" : ""
    return CheckpointError(
      .mismatched,
      "expected \(expected.dtype.rawValue) \(expected.shape), as in the file, found "
        + "\(found.dtype.rawValue) \(found.shape)\(remedy)", tensor: name.text)
  }
}

/// The files that a ``Fill`` changes, decided before anything is written.
public struct FilledFiles: Sendable {
  /// A file with new content.
  public struct File: Sendable {
    /// Its name in the place where the template is, or in the folder that is the template.
    public var name: String
    /// Writes the whole new content to a sink, which the caller commits.
    public var write: @Sendable (ByteSink) async throws -> Void

    /// Describes the new content of a file.
    public init(_ name: String, write: @escaping @Sendable (ByteSink) async throws -> Void) {
      self.name = name
      self.write = write
    }
  }

  /// The files that change; for a template that is one file, that file.
  public var files: [File]
  /// Names of the files that also belong to the checkpoint and stay as they are, such as other shards
  /// and their index.
  public var unchanged: [String] = []
  /// What cannot be stored in the file, one sentence each.
  public var losses: [String] = []
  /// Of several files, the one that readers open first.
  package var main: String?
  /// Whether ``main`` names the others in a `weight_map` (``ShardNames``).
  package var isIndexed = false

  /// One file that changes.
  public init(_ name: String, write: @escaping @Sendable (ByteSink) async throws -> Void) {
    files = [File(name, write: write)]
  }

  /// Files that change, and those that belong to them and do not.
  public init(_ files: [File], unchanged: [String] = []) {
    self.files = files
    self.unchanged = unchanged
  }
}
