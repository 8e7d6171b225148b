import ByteIO
import ParallelWork
import TensorCore

/// The PyTorch format as a value.
extension CheckpointFormat {
  /// Files of every version of `torch.save`, TorchScript archives, and distributed checkpoints.
  ///
  /// Pickles are read and never run: see `Pickle`. Source: torch 2.15 `serialization.py`,
  /// `_utils.py`, `distributed/checkpoint`.
  public static let pytorch = CheckpointFormat(
    name: "pytorch", extensions: [".ckpt", ".pth", ".bin", ".pt"],
    recognizes: PyTorchFormat.recognizes,
    open: PyTorchFormat.open,
    write: { try await PyTorchWriter.write($0, to: $1, options: $2) },
    fill: { try PyTorchFilling.fill($0) },
    capabilities: PyTorchFormat.capabilities,
    verify: PyTorchFormat.verify)
}

enum PyTorchFormat {
  /// What a written file can hold: PyTorch's own types and ties, and everything else as text.
  static let capabilities: Capabilities = {
    var capabilities = Capabilities(
      dtypes: DType.allCases.filter { PyTorchGlobals.canWrite($0) }, isSharded: true)
    capabilities.nestsValues = true
    return capabilities
  }()

  /// Extensions of files that an index may name.
  private static let shardEndings = [".bin", ".pt", ".pth"]

  static func recognizes(_ candidate: FileProbe) -> Bool {
    if candidate.members != nil {
      if DistributedCheckpoint.recognizes(candidate) { return true }
      do throws(CheckpointError) {
        switch try FolderModel.choice(in: candidate) {
        case .file(let name)?:
          return shardEndings.contains { name.hasSuffix($0 + ".index.json") }
        case .shards(let shards)?:
          return shardEndings.contains { shards.names[0].hasSuffix($0) }
        case nil: return index(in: candidate) != nil
        }
      } catch {
        // A set that is not whole is an error when it is opened.
        return candidate.members(endingIn: ".safetensors").isEmpty
      }
    }
    if isIndex(candidate) { return true }
    switch PyTorchFile.kind(of: candidate.head) {
    case .archive:
      return PyTorchArchive.recognizes(candidate) && !ExportedProgram.recognizes(candidate)
    case .tar: return !Packed.isTar(candidate)
    case .stream, .pickle: return true
    case nil: return false
    }
  }

  static func isIndex(_ candidate: FileProbe) -> Bool {
    shardEndings.contains { ShardIndex.recognizes(candidate, ending: $0) }
  }

  /// The name of the index of a sharded checkpoint in a folder: the model's, or the only one.
  static func index(in folder: FileProbe) -> String? {
    if case .file(let name)? = try? FolderModel.choice(in: folder) { return name }
    let found = shardEndings.flatMap { folder.members(endingIn: $0 + ".index.json") }
    return found.count == 1 ? found[0] : nil
  }

  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    if options.key != nil || options.readsAllParts { return try read(probe, options) }
    // What is read without a key is kept for verifying.
    return try probe.finding(for: PyTorchFormat.self) { try read($0, options) }
  }

  private static func read(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    try CheckpointError.placing(path: probe.path) {
      if probe.members != nil {
        if DistributedCheckpoint.recognizes(probe) {
          return try DistributedCheckpoint(probe).contents(key: options.key)
        }
        guard let index = index(in: probe) else {
          if case .shards(let shards)? = try FolderModel.choice(in: probe) {
            var opened = try shards.contents { try PyTorchFile.open($0).contents(key: nil) }
            opened.notes += probe.othersNote(reading: shards.names)
            return opened
          }
          throw CheckpointError(
            .system,
            "expected a distributed checkpoint or one shard index in this folder, found neither")
        }
        let file = try probe.member(index)
        var opened = try read(file, options)
        opened.notes += probe.othersNote(reading: [index] + (try ShardIndex(file).files))
        return opened
      }
      if isIndex(probe) {
        return try ShardIndex(probe).contents { try PyTorchFile.open($0).contents(key: nil) }
      }
      var opened = try PyTorchFile.opened(probe).contents(
        key: options.key, readsAllParts: options.readsAllParts)
      if let note = RankFile.note(probe) { opened.notes.insert(note, at: 0) }
      return opened
    }
  }

  /// Checks the CRC-32 of all members of an archive; files of other kinds have none.
  static func verify(_ probe: FileProbe, threads: Int) async throws -> [CheckpointError] {
    _ = try open(probe, OpenOptions())
    return try await damage(probe, threads: threads)
  }

  /// One error for each member of an archive whose CRC-32 differs.
  static func damage(_ probe: FileProbe, threads: Int) async throws -> [CheckpointError] {
    guard case .archive? = PyTorchFile.kind(of: probe.head) else { return [] }
    let archive = try PyTorchArchive.opened(probe)
    let errors = try await concurrentMap(
      archive.members, width: threads, sharing: .errors("damage") { $0.storedSize }
    ) { archive.damage(to: $0) }
    let damage = zip(archive.members, errors).compactMap { member, error in
      error.map { (member: member, error: $0) }
    }
    if damage.isEmpty { return [] }
    let names = (try? PyTorchFile.opened(probe).namesByStorage()) ?? [:]
    return damage.flatMap { member, error in
      let key = PyTorchArchive.storageKey(of: member, in: archive)
      let tensors = key.flatMap { names[$0] } ?? []
      // Of the tensors in a storage, one stands for all, unless each is to be left out.
      return Rescue.current == nil || tensors.isEmpty
        ? [error.adding(tensor: tensors.first?.text)]
        : tensors.map { error.adding(tensor: $0.text) }
    }
  }
}
