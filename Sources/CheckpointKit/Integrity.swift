public import ByteIO
import ParallelWork
public import TensorCore

/// What `ckpt check` does.
extension CheckpointSource {
  /// Reads every byte of a checkpoint and checks all that its format lets be checked.
  ///
  /// `reading` is given the tensors before they are read, to count them, say.
  /// - Returns: each damaged tensor's first error; empty for an intact file.
  /// - Throws: `CheckpointError` when the file cannot be opened at all.
  public static func damage(
    in path: String, threads: Int,
    reading: ([Checkpoint.Entry]) -> [Checkpoint.Entry] = { $0 }
  ) async throws -> [CheckpointError] {
    try await damage(in: .argument(path), threads: threads, reading: reading)
  }

  /// Reads every byte of a checkpoint that a place has opened, and checks it likewise.
  public static func damage(
    in probe: FileProbe, threads: Int,
    reading: ([Checkpoint.Entry]) -> [Checkpoint.Entry] = { $0 }
  ) async throws -> [CheckpointError] {
    let source = try open(probe)
    if let verify = source.format.verify {
      return try await verify(probe, threads).map { $0.adding(path: probe.path) }
    }
    let entries = reading(source.checkpoint.entries)
    let summed = entries.indices.filter { entries[$0].storedDigest != nil }
    let digests = try await Checkpoint.digests(of: summed.map { entries[$0] }, threads: threads)
    var errors = try await firstErrors(of: entries, threads: threads)
    for (index, digest) in zip(summed, digests) {
      errors[index] = mismatch(entries[index], digest)
    }
    return zip(entries, errors).compactMap { entry, error in
      error?.adding(path: probe.path, tensor: entry.name.text)
    }
  }

  /// Errors from reading each tensor without a stored digest.
  private static func firstErrors(
    of entries: [Checkpoint.Entry], threads: Int
  ) async throws -> [CheckpointError?] {
    var errors = [CheckpointError?](repeating: nil, count: entries.count)
    let unsummed = entries.indices.filter { entries[$0].storedDigest == nil }
    let tensors = unsummed.map { entries[$0] }
    try await pipeline(
      Pieces(of: tensors, size: WorkLimits.digestSize, cut: .source), threads: threads,
      work: { pieces in
        let buffer = PieceBuffer.pool.acquire()
        defer { PieceBuffer.pool.release(buffer) }
        return try pieces.map { piece in
          try error { try buffer.value.read([piece], of: tensors) }
        }
      },
      finish: { pieces, found in
        for (piece, error) in zip(pieces, found) where errors[unsummed[piece.tensor]] == nil {
          errors[unsummed[piece.tensor]] = error
        }
      })
    return errors
  }

  private static func mismatch(
    _ entry: Checkpoint.Entry, _ digest: Result<Digest, any Error>
  ) -> CheckpointError? {
    do {
      let found = try digest.get()
      guard let stored = entry.storedDigest, found != stored else { return nil }
      return CheckpointError(
        .malformed, "its bytes do not have the stored SHA-256 \(stored)", tensor: entry.name.text)
    } catch {
      return error as? CheckpointError ?? CheckpointError(.system, "\(error)")
    }
  }

  private static func error(_ body: () throws -> Void) throws -> CheckpointError? {
    do {
      try body()
      return nil
    } catch let error as CheckpointError {
      return error
    }
  }
}
