public import TensorCore

extension CheckpointSource {
  /// Reads every byte of a checkpoint and checks all that its format lets be checked.
  ///
  /// `reading` is given the tensors before they are read, to count them, say.
  /// - Returns: each damaged tensor's first error; empty for a sound file.
  /// - Throws: `CheckpointError` when the file cannot be opened at all.
  public static func damage(
    in path: String, threads: Int,
    reading: ([Checkpoint.Entry]) -> [Checkpoint.Entry] = { $0 }
  ) async throws -> [CheckpointError] {
    let source = try open(path)
    if path != "-", let verify = source.format.verify {
      return try await verify(path, threads).map { $0.adding(path: path) }
    }
    return try await concurrentMap(reading(source.checkpoint.entries), width: threads) { entry in
      do {
        var buffer = ChunkBuffer(capacity: min(entry.info.byteCount, ChunkBuffer.standardSize))
        var digest = DigestBuilder()
        try entry.forEachChunk(using: &buffer) { _, bytes in
          if entry.storedDigest != nil { digest.update(bytes) }
        }
        if let stored = entry.storedDigest, digest.finalize() != stored {
          throw CheckpointError(
            .malformed, "its bytes do not have the stored SHA-256 \(stored)",
            tensor: entry.name.text)
        }
        return nil
      } catch let error as CheckpointError {
        return error.adding(path: shownPath(path), tensor: entry.name.text)
      }
    }.compactMap { $0 }
  }
}
