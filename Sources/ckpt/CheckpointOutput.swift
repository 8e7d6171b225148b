import ArgumentParser
import ByteIO
import CheckpointKit
import Glibc

/// Where a command's checkpoint goes: a file that is replaced whole or not at all, or standard output.
struct CheckpointOutput {
  private let path: String
  private let format: CheckpointFormat
  private let write: @Sendable (Checkpoint, String, WriteOptions) async throws -> Void
  private let options: WriteOptions
  private let overwrites: Bool

  /// Settles format and options before any work is done, and refuses a target that cannot be replaced.
  init(_ path: String, _ output: OutputOptions, _ common: CommonOptions, overwrites: Bool? = nil)
    throws
  {
    self.path = path
    format = try output.format(for: path)
    guard let write = format.write else {
      throw CheckpointError(.unsupported, "format \(format.name) is only read", path: path)
    }
    self.write = write
    options = try output.writeOptions(common)
    self.overwrites = overwrites ?? output.force
    if path == "-" {
      guard !StandardOutput.isTerminal else {
        throw ValidationError("standard output is a terminal; redirect it, or give a file")
      }
    } else {
      try AtomicFile.checkTarget(path, overwrite: self.overwrites)
    }
  }

  /// Writes the checkpoint; the target is the old file or the whole new one at every moment.
  func write(_ checkpoint: Checkpoint, quiet: Bool) async throws {
    let progress = Progress(reading: checkpoint.entries, quiet: quiet)
    defer { progress.finish() }
    var checkpoint = checkpoint
    checkpoint.entries = progress.entries
    let counted = checkpoint
    if path == "-" {
      try await AtomicFile.withTemporary { temporary in
        try await write(counted, temporary, options)
        try Self.copyToStandardOutput(temporary)
      }
    } else {
      try await AtomicFile.replace(path, overwrite: overwrites) { temporary in
        try await write(counted, temporary, options)
      }
    }
  }

  private static func copyToStandardOutput(_ path: String) throws {
    let file = try InputFile(path)
    var buffer = ChunkBuffer()
    for offset in stride(from: 0, to: file.size, by: buffer.capacity) {
      let count = min(buffer.capacity, file.size - offset)
      var target = buffer.mutableBytes(count)
      try file.read(at: offset, into: &target)
      var written = 0
      while written < count {
        let result = unsafe buffer.bytes(count).withUnsafeBytes { bytes in
          unsafe Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { unsafe $0 + written }, count - written)
        }
        if result < 0 && errno == EINTR { continue }
        guard result >= 0 else {
          throw CheckpointError(
            .unreadable, unsafe String(cString: strerror(errno)), path: "standard output")
        }
        written += result
      }
    }
  }
}
