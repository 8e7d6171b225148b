public import CheckpointFormats
public import ParallelWork
public import TensorCore

/// All that a file holds: every part of a training checkpoint, its tensors named as the file nests them.
public struct WholeFile: Sendable {
  /// The checkpoint to write.
  public let checkpoint: Checkpoint
  /// The format that the file has.
  public let format: CheckpointFormat
  /// What was not read, one sentence each.
  public let notes: [String]

  /// Opens a file; `notes` is told what it holds that no tensor can show.
  ///
  /// Reads tensors of which the file claims that they are tied, and nothing else.
  /// - Throws: `CheckpointError` with the path in it.
  public init(
    _ path: String, threads: Int = Threads.available, notes: (String) -> Void = { _ in }
  ) throws {
    let options = OpenOptions(readsAllParts: true, notesParts: false, threads: threads)
    try self.init(CheckpointSource.open(path, options: options, notes: notes))
  }

  /// What was opened with all its parts.
  public init(_ source: CheckpointSource) throws {
    let result = try Conversion(Selection()).applied(to: source.opened)
    (checkpoint, format, notes) = (result.checkpoint, source.format, result.notes)
  }
}
