public import CheckpointFormats
public import ParallelWork
public import TensorCore

/// New bytes for some tensors in a copy of a checkpoint's files.
extension CheckpointSource {
  /// Decides how a copy of its files gets new bytes for some tensors, and keeps everything else.
  ///
  /// - Parameters:
  ///   - tensors: the new tensors by their names here, of the types and shapes here.
  ///   - metadata: texts to record, where the files have room for them.
  ///   - threads: number of worker threads.
  ///
  /// A fingerprint that the file carries is renewed, for which all tensors are read once.
  /// - Returns: the files that change, and what cannot be stored in them.
  /// - Throws: `CheckpointError` `unsupported` when files of the format cannot be filled; `missing`
  ///   or `mismatched` for a tensor that does not fit.
  public func filled(
    with tensors: [TensorName: Checkpoint.Entry], metadata: [String: String] = [:],
    threads: Int = Threads.available
  ) async throws -> FilledFiles {
    guard let fill = format.fill else {
      throw CheckpointError(
        .unsupported, "\(format.name) files cannot be filled; write another format", path: path)
    }
    var request = Fill(template: probe, key: key, tensors: tensors)
    request.metadata = metadata
    request.threads = threads
    let losses = try await renewFingerprints(in: &request)
    var filled = try fill(request)
    filled.losses += losses
    return filled
  }

  /// What a copy filled with some tensors cannot store, one sentence each; nothing is read.
  ///
  /// - Throws: as ``filled(with:metadata:threads:)``.
  package func losses(
    fillingWith tensors: [TensorName: Checkpoint.Entry], metadata: [String: String]
  ) throws -> [String] {
    guard let fill = format.fill else { return [] }
    var request = Fill(template: probe, key: key, tensors: tensors)
    request.metadata = metadata
    return try fill(request).losses
  }

  /// The same with another checkpoint's tensors, each of which must have its place here.
  ///
  /// `isPartial` says that tensors for which there is no new one may stay as they are.
  /// - Throws: as ``filled(with:metadata:threads:)``; `mismatched` for a tensor without a
  ///   counterpart on the other side.
  public func filled(
    withAllOf entries: [Checkpoint.Entry], metadata: [String: String], isPartial: Bool,
    threads: Int = Threads.available
  ) async throws -> FilledFiles {
    let known = Set(checkpoint.entries.map(\.name))
    if let extra = entries.first(where: { !known.contains($0.name) }) {
      let layout =
        format.name == CheckpointFormat.keras.name
        ? "pass --to-keras-layout for PyTorch tensors, " : ""
      throw CheckpointError(
        .mismatched,
        "the template has no tensor of this name; \(layout)rename it, or leave it out with --exclude",
        path: path, tensor: extra.name.text)
    }
    let given = Set(entries.map(\.name))
    if !isPartial, let missing = checkpoint.entries.first(where: { !given.contains($0.name) }) {
      throw CheckpointError(
        .mismatched,
        "the template has this tensor, but the checkpoint has no matching one; pass --match to fill only a part",
        path: path, tensor: missing.name.text)
    }
    return try await filled(
      with: Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { _, later in later }),
      metadata: metadata, threads: threads)
  }
}

extension Checkpoint {
  /// What ckpt itself records in the metadata: the recipe and the provenance.
  public var recorded: [String: String] {
    metadata.filter { [Self.recipeKey, Self.provenanceKey].contains($0.key) }
  }
}
