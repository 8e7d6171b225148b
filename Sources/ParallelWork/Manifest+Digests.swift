public import TensorCore

/// Making a manifest from the tensors themselves.
extension Manifest {
  /// Digests every tensor, reading each once; those whose BLAKE3 the file stores are not read.
  ///
  /// With `trustingStored` false every byte is read all the same.
  /// - Throws: `CheckpointError` when a tensor cannot be read.
  public init(
    of checkpoint: Checkpoint, threads: Int = Threads.available,
    algorithm: DigestAlgorithm = .blake3, trustingStored: Bool = true
  ) async throws {
    let trusts = trustingStored && algorithm == .blake3
    let unknown = checkpoint.entries.indices.filter {
      !trusts || checkpoint.entries[$0].storedDigest == nil
    }
    let found = try await Checkpoint.digests(
      of: unknown.map { checkpoint.entries[$0] }, threads: threads, algorithm: algorithm)
    var digests = checkpoint.entries.map(\.storedDigest)
    for (index, result) in zip(unknown, found) { digests[index] = try result.get() }
    self.init(
      zip(checkpoint.entries, digests).compactMap { entry, digest in digest.map { (entry, $0) } },
      algorithm: algorithm)
  }
}
