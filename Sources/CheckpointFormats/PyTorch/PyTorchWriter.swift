import ByteIO
import ParallelWork
import Strided
import TensorCore

/// Writes a checkpoint as a zip archive that `torch.load(weights_only=True, mmap=True)` accepts: an
/// `OrderedDict` of tensors, where tied tensors share a storage and data are aligned to 64 bytes.
///
/// Metadata and module tree go to a member of their own, which PyTorch ignores.
enum PyTorchWriter {
  private static let folder = "archive/"

  static func write(
    _ checkpoint: Checkpoint, to sink: ByteSink, options: WriteOptions
  ) async throws {
    let plan = try options.nests ? PyTorchPlan(nesting: checkpoint) : PyTorchPlan(checkpoint)
    var archive = ZipWriter(sink)
    try archive.add(TensorName(folder + "data.pkl"), plan.pickle)
    try archive.add(TensorName(folder + ".format_version"), Array("1".utf8))
    try archive.add(TensorName(folder + ".storage_alignment"), Array("64".utf8))
    try archive.add(TensorName(folder + "byteorder"), Array("little".utf8))
    var others = checkpoint
    if options.nests { others.values.removeAll { !Checkpoint.isReserved($0.name) } }
    let metadata = others.texts
    if !metadata.isEmpty {
      try archive.add(
        TensorName(folder + ArchiveTexts.memberName), ArchiveTexts.bytes(metadata))
    }
    let entries = plan.storages.map { checkpoint.entries[$0] }
    let stream = TensorStream(
      entries, threads: options.threads, ranks: sink.ranks, sum: { Checksum.crc32($0) })
    let digests = TensorDigests(count: entries.count)
    try await stream.forEachChunk(digesting: digests) { chunk, bytes in
      let size = entries[chunk.tensor].info.byteCount
      if chunk.offset == 0 {
        try archive.begin(TensorName("\(folder)data/\(chunk.tensor)"), size: size)
      }
      try archive.append(bytes, count: chunk.count, sum: chunk.sum)
      if chunk.offset + chunk.count == size { try archive.end() }
    }
    try archive.add(TensorName(folder + "version"), Array("3\n".utf8))
    let fingerprint = try checkpoint.fingerprint { digests[plan.storageOf[$0]] }
    try archive.finish(note: fingerprint.description)
  }
}

/// The pickle of a checkpoint and its storages, decided before anything is written.
struct PyTorchPlan {
  /// The content of `data.pkl`.
  let pickle: [UInt8]
  /// For each storage the entry that has its bytes.
  private(set) var storages: [Int] = []
  /// For each entry its storage.
  let storageOf: [Int]

  /// Number of items per SETITEMS opcode, as in Python.
  private static let batch = 1000

  /// A dictionary that nests tensors and values as a trainer's file does, which
  /// `torch.load(weights_only=True)` takes.
  init(nesting checkpoint: Checkpoint) throws(CheckpointError) {
    var writer = PickleWriter()
    let entries = checkpoint.entries
    let storageOf = Self.storages(of: entries, &storages)
    self.storageOf = storageOf
    try PyTorchNesting(checkpoint).write(to: &writer) { index, writer throws(CheckpointError) in
      try CheckpointError.placing(
        Self.write(entries[index].info, storage: storageOf[index], to: &writer),
        tensor: entries[index].name.text)
    }
    writer.stop()
    pickle = writer.bytes
  }

  /// The storage of each entry, those of ties being one; `owners` are the entries that have one.
  private static func storages(
    of entries: [Checkpoint.Entry], _ owners: inout [Int]
  ) -> [Int] {
    var storageOf: [Int] = []
    var indices: [TensorName: Int] = [:]
    for (index, entry) in entries.enumerated() {
      let original = entry.alias.flatMap { indices[$0] }
      // Tied tensors share a storage if the whole of it suits both; the shape may differ.
      if let original, entries[original].info.dtype == entry.info.dtype,
        entries[original].info.byteCount == entry.info.byteCount
      {
        storageOf.append(storageOf[original])
      } else {
        storageOf.append(owners.count)
        owners.append(index)
      }
      indices[entry.name] = index
    }
    return storageOf
  }

  /// A state dict: an `OrderedDict` of tensors.
  init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    var writer = PickleWriter()
    writer.orderedDictionary()
    let entries = checkpoint.entries
    let storageOf = Self.storages(of: entries, &storages)
    self.storageOf = storageOf
    for (index, entry) in entries.enumerated() {
      if index % Self.batch == 0 {
        if index > 0 { writer.setItems() }
        writer.mark()
      }
      writer.text(entry.name.text)
      try CheckpointError.placing(
        Self.write(entry.info, storage: storageOf[index], to: &writer), tensor: entry.name.text)
    }
    if !entries.isEmpty { writer.setItems() }
    writer.emptyDictionary()
    // `state_dict()` is an OrderedDict with an attribute: BUILD with {'_metadata': …} sets it.
    writer.text("_metadata")
    try Self.writeVersions(of: checkpoint, to: &writer)
    writer.setItem()
    writer.build()
    writer.stop()
    pickle = writer.bytes
  }

  /// Writes the call that makes a tensor of a whole storage.
  private static func write(
    _ info: TensorInfo, storage: Int, to writer: inout PickleWriter
  ) throws(CheckpointError) {
    let name = PyTorchGlobals.storageName(info.dtype)
    var shape = info.shape
    if info.dtype == .float4e2m1 {
      guard let last = shape.last, last % 2 == 0 else {
        throw CheckpointError(
          .unsupported,
          "PyTorch stores \(info.dtype.rawValue) in pairs along the last dimension:"
            + " expected an even size, found shape \(shape)")
      }
      shape = try Shape(shape.dropLast() + [last / 2])
    }
    writer.global("torch._utils", name == nil ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")
    writer.mark()
    writer.mark()
    writer.word("storage")
    if let name {
      writer.global("torch", name)
    } else {
      writer.global("torch.storage", "UntypedStorage")
    }
    writer.text(String(storage))
    writer.word("cpu")
    writer.int(name == nil ? info.byteCount : info.elementCount)
    writer.endTuple()
    writer.persistent()
    writer.int(0)
    writer.tuple(shape.sizes)
    writer.tuple(shape.contiguousStrides)
    writer.isFalse()
    writer.orderedDictionary()
    if name == nil { writer.global("torch", info.dtype.torchName) }
    writer.endTuple()
    writer.reduce()
  }

  /// Writes `_metadata`, which `state_dict()` keeps along with the tensors: the layout version of each
  /// module, which is 2 for layers with running statistics and 1 for others.
  ///
  /// The list of classes is part of this file format (`_version` in torch's `_NormBase`): where such a
  /// layer keeps no statistics, only the class in its label tells that it may.
  private static func writeVersions(
    of checkpoint: Checkpoint, to writer: inout PickleWriter
  ) throws(CheckpointError) {
    writer.orderedDictionary()
    for (index, module) in try modules(of: checkpoint).enumerated() {
      if index % batch == 0 {
        if index > 0 { writer.setItems() }
        writer.mark()
      }
      writer.text(module.path)
      writer.emptyDictionary()
      writer.word("version")
      writer.int(module.version)
      writer.setItem()
    }
    if !checkpoint.entries.isEmpty || !checkpoint.modules.isEmpty { writer.setItems() }
  }

  /// The modules from the labels or, without labels, from the names of tensors.
  private static func modules(
    of checkpoint: Checkpoint
  ) throws(CheckpointError) -> [(path: String, version: Int)] {
    let labels = checkpoint.modules.filter { $0.kind != "None" }
    if !labels.isEmpty {
      return labels.map { label in
        let isNorm = label.kind.contains("BatchNorm") || label.kind.contains("InstanceNorm")
        return (label.path, isNorm ? 2 : 1)
      }
    }
    var modules: [(path: String, version: Int)] = []
    var indices: [TensorName: Int] = [:]
    var paths = Budget.current.account(
      of: .modulePaths, size: checkpoint.entries.map(\.name.text.utf8.count).saturatedSum())
    for entry in checkpoint.entries {
      let (parent, leaf) = entry.name.parentAndLeaf
      var chain = [parent]
      while let last = chain.last, !last.isEmpty, indices[TensorName(last)] == nil {
        guard paths.charge(last.utf8.count) else {
          throw CheckpointError(
            .unsupported,
            "the names of its modules take more than \(paths.limit) bytes; pass --allow-large to "
              + "write them", tensor: entry.name.text)
        }
        chain.append(TensorName(last).parentAndLeaf.parent)
      }
      for path in chain.reversed() where indices[TensorName(path)] == nil {
        indices[TensorName(path)] = modules.count
        modules.append((path, 1))
      }
      if leaf == "num_batches_tracked", let index = indices[TensorName(parent)] {
        modules[index].version = 2
      }
    }
    return modules
  }
}
