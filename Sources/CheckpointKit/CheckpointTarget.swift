import ByteIO
public import CheckpointFormats
import ParallelWork
public import TensorCore

/// Where a checkpoint is written: a file that is replaced whole or not at all, or standard output.
public struct CheckpointTarget: Sendable {
  private let path: String
  /// What is written.
  public let format: CheckpointFormat
  private let write: @Sendable (Checkpoint, String, WriteOptions) async throws -> Void
  private let options: WriteOptions
  private let overwrites: Bool

  /// Settles the format and refuses, before any work is done, a target that cannot be written.
  ///
  /// `path` is the file, or `-` for standard output; the format is `name`'s, or the one that the
  /// path's ending says; `overwrites` says whether an existing file may be replaced.
  /// - Throws: `CheckpointError` with the path in it.
  public init(
    _ path: String, format name: String? = nil, options: WriteOptions = WriteOptions(),
    overwrites: Bool = false
  ) throws {
    let format =
      try name.map { try CheckpointFormat.writable(named: $0) }
      ?? CheckpointFormat.writable(forPath: path)
    guard let write = format.write else {
      throw CheckpointError(.unsupported, "format \(format.name) is only read", path: path)
    }
    if !format.makesFiles, options.template == nil {
      throw CheckpointError(
        .unsupported,
        "format \(format.name) is only written into the structure of a file; pass --like FILE",
        path: path)
    }
    if path != "-" { try AtomicFile.check(path, overwrite: overwrites) }
    self.path = path
    self.format = format
    self.write = write
    self.options = options
    self.overwrites = overwrites
  }

  /// Writes the checkpoint; at every moment the target is the old file or the whole new one, and
  /// when this returns the new one is on the disk.
  public func write(_ checkpoint: Checkpoint) async throws {
    do {
      try format.capabilities.check(checkpoint, format: format.name)
      if path == "-" {
        try await AtomicFile.withTemporary("ckpt-output") { temporary in
          try await write(checkpoint, temporary, options)
          try Self.copyToStandardOutput(temporary)
        }
      } else {
        try await AtomicFile.replace(path, overwrite: overwrites) { temporary in
          try await write(checkpoint, temporary, options)
        }
      }
    } catch let error as CheckpointError {
      throw error.path?.contains(".ckpt-tmp-") == true
        ? error.replacing(path: path) : error.adding(path: path)
    }
  }

  /// Removes the unfinished files of the whole process, for one that is about to be ended.
  public static func removeUnfinished() { AtomicFile.removeTemporaries() }

  private static func copyToStandardOutput(_ path: String) throws {
    let file = try Place.open(path: path)
    var buffer = ChunkBuffer()
    for offset in stride(from: 0, to: file.size, by: buffer.capacity) {
      let count = min(buffer.capacity, file.size - offset)
      var target = buffer.mutableBytes(count)
      try file.read(at: offset, into: &target)
      try writeToStandardOutput(buffer.bytes(count))
    }
  }
}
