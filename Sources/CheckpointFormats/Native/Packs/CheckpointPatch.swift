public import ByteIO
public import ParallelWork
public import TensorCore

/// What makes one checkpoint of another: a `.ckz` file that names its base by fingerprint and stores
/// what differs.
///
/// Specification: the article *The native format* of CheckpointKit's documentation.
public struct CheckpointPatch: Sendable {
  private let file: NativeFile
  /// The fingerprint of the checkpoint that it applies to.
  public let base: Fingerprint

  /// The patch in a file; `nil` if it is none.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` when the file breaks a rule.
  public init?(_ probe: FileProbe) throws(CheckpointError) {
    guard probe.members == nil, probe.head.starts(with: NativeLayout.magic),
      try RunPack(probe) == nil
    else { return nil }
    file = try NativeFile.opened(probe)
    guard let base = file.index.base else { return nil }
    self.base = Fingerprint(base)
  }

  /// Size of the file in bytes.
  public var byteCount: Int { file.file.size }

  /// The fingerprint of the result.
  public var result: Fingerprint {
    get throws(CheckpointError) {
      let checkpoint = try file.checkpoint()
      guard let manifest = Manifest(storedIn: checkpoint) else {
        throw CheckpointError(.malformed, "a tensor without digest", path: file.file.name)
      }
      return Fingerprint(manifest)
    }
  }

  /// The result; its tensors are read from the patch and from the base.
  ///
  /// Reads the base once, unless its file stores digests.
  /// - Throws: `CheckpointError` `mismatched` when `checkpoint` is another than the patch was made from.
  public func applied(to checkpoint: Checkpoint, threads: Int = Threads.available) async throws
    -> Checkpoint
  {
    let entries = checkpoint.entries
    let digests = try await entries.digests(threads: threads)
    let tensors = zip(entries, digests).map { (entry: $0, digest: $1) }
    let found = Fingerprint(Manifest(tensors))
    guard found == base else {
      throw CheckpointError(
        .mismatched,
        "the patch applies to fingerprint \(base.shortText), found \(found.shortText); "
          + "give the file it was made from")
    }
    return try NativeFile(file.file, file.index, base: .checkpoint(tensors)).checkpoint()
  }

  /// What a patch that was written consists of.
  public struct Summary: Sendable {
    /// Tensors whose bytes are those of the base.
    public var unchangedCount = 0
    /// Tensors of which at least a part is stored as differences.
    public var changedCount = 0
    /// Tensors that are stored whole.
    public var wholeCount = 0
    /// Size of the file in bytes.
    public var byteCount = 0
  }

  /// Writes a patch that makes `new` of `old`: a new file, or all of one that is there with `overwrites`.
  ///
  /// `partners` are tensors of `new` that may differ little from those of `old`, by the old names, as a
  /// pairing of the two gives them; others are paired by their names.
  /// - Throws: `CheckpointError` from the tensors or the system, `unsupported` for options that ask for parity,
  ///   which patches do not have.
  public static func write(
    from old: Checkpoint, to new: Checkpoint, partners: [TensorName: TensorName] = [:],
    in place: Place, name: String, options: WriteOptions = WriteOptions(), overwrites: Bool = false
  ) async throws -> Summary {
    if options.parity != nil {
      throw CheckpointError(.unsupported, "a patch cannot have parity", path: name)
    }
    let partners = Dictionary(keepingFirst: partners.map { ($0.value, $0.key) })
    let digests = try await old.entries.digests(threads: options.threads)
    let fingerprint = Manifest(zip(old.entries, digests).map { (entry: $0, digest: $1) }).digest
    var bases: [TensorName: (entry: Checkpoint.Entry, reference: NativeIndex.Reference)] = [:]
    for (entry, digest) in zip(old.entries, digests) {
      bases[entry.name] = (entry, NativeIndex.Reference(digest: digest))
    }
    let contents = Dictionary(keepingFirst: zip(digests, old.entries.map(\.info.byteCount)))
    let entries = new.entries.filter { $0.alias == nil }
    var known: [TensorName: NativePlan.Known] = [:]
    for (entry, digest) in zip(entries, try await entries.digests(threads: options.threads)) {
      var fact = NativePlan.Known(digest: digest)
      if contents[digest] == entry.info.byteCount {
        fact.stored = NativeIndex.Reference(digest: digest)
      } else if let base = bases[partners[entry.name] ?? entry.name],
        base.entry.info.dtype == entry.info.dtype,
        base.entry.info.byteCount == entry.info.byteCount
      {
        fact.base = base
      }
      known[entry.name] = fact
    }
    let sink = try place.create(name, replacing: overwrites)
    let plan = try NativePlan(new, compression: options.compression, known: known)
    let index = try await NativeWriter.write(
      new, plan, base: fingerprint, to: sink, threads: options.threads)
    let size = sink.position
    try sink.commit()
    return Summary(index, byteCount: size)
  }
}

extension CheckpointPatch.Summary {
  init(_ index: NativeIndex, byteCount: Int) {
    self.byteCount = byteCount
    for tensor in index.tensors {
      switch tensor.content {
      case .alias: continue
      case .unchanged: unchangedCount += 1
      case .stored(let stored): if stored.base == nil { wholeCount += 1 } else { changedCount += 1 }
      }
    }
  }
}

extension Fingerprint {
  /// The first 12 digits.
  fileprivate var shortText: String { digest.description.prefix(12) + "…" }
}
