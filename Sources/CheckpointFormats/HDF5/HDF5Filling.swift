import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Filling a copy of an HDF5 file.
///
/// A dataset that lies in one run of bytes gets its new ones there, and nothing else changes. The
/// rest (chunks, datasets in object headers, datasets without bytes yet, and attributes of the root)
/// is written through libhdf5.
struct HDF5Filling {
  /// A dataset and its new elements.
  private struct Change {
    let dataset: HDF5Table.Dataset
    let entry: Checkpoint.Entry
    let blocks: HDF5Blocks
    /// How blocks, each of which is a chunk, are packed here; `nil` if the library packs.
    var packing: HDF5Packing?
  }

  private let file: HDF5File
  private let isOurs: Bool
  private let threads: Int
  private var copy: PatchedCopy
  /// What the library writes.
  private var changes: [Change] = []
  private var attributes: [HDF5Attribute] = []
  private var chunks: Budget.Account

  /// Decides what changes.
  static func fill(_ fill: Fill) throws(CheckpointError) -> FilledFiles {
    let file = try HDF5Tensors.opened(fill.template).file
    let isOurs = HDF5Layout.isOurs(file.table)
    let filling = try HDF5Filling(file, fill, isOurs: isOurs) {
      HDF5Checkpoint.name(of: $0, isOurs: isOurs)
    }
    return FilledFiles(fill.template.name) { try await filling.write(to: $0) }
  }

  /// Decides what changes in a file, which may be a part of another; `name` gives the name of a
  /// dataset's tensor, if it has one.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for a dataset that cannot be written.
  init(
    _ file: HDF5File, _ fill: Fill, isOurs: Bool = false,
    name: (HDF5Table.Dataset) -> TensorName?
  ) throws(CheckpointError) {
    self.file = file
    self.isOurs = isOurs
    threads = fill.threads
    copy = PatchedCopy(of: file.input)
    chunks = Budget.current.account(of: .chunks, size: file.input.size)
    var filled: Set<UInt64> = []
    for dataset in file.table.datasets {
      guard let name = name(dataset), let entry = fill.tensors[name],
        dataset.info.byteCount > 0, filled.insert(dataset.address).inserted
      else { continue }
      try CheckpointError.placing(add(dataset, entry.swapped(dataset.swapWidth)), tensor: name.text)
    }
    let root = file.table.groups.first?.attributes ?? []
    for (key, text) in fill.texts.sorted(by: { TensorName($0.key) < TensorName($1.key) }) {
      let attribute = HDF5Attribute(
        isOurs ? HDF5Layout.attributeName(key) : key, HDF5Layout.value(text))
      if root.value(attribute.name) != attribute.value { attributes.append(attribute) }
    }
  }

  private mutating func add(
    _ dataset: HDF5Table.Dataset, _ entry: Checkpoint.Entry
  ) throws(CheckpointError) {
    if case .plain(let offset) = dataset.storage, dataset.layout == .contiguous {
      return copy.replace(at: offset, with: entry)
    }
    guard dataset.innerRank == 0 else {
      throw CheckpointError(
        .unsupported, "has arrays as elements, which cannot be filled; write another format with -o"
      )
    }
    if case .virtual = dataset.storage {
      throw CheckpointError(
        .unsupported,
        "is a virtual dataset, whose elements are in others; "
          + "write another format with -o")
    }
    for filter in dataset.filters where !HDF5Library.encodes(filter: filter.number) {
      throw CheckpointError(
        .unsupported,
        "filter \(filter.number) (\(filter.name)) cannot be applied \(Self.reason(filter)); "
          + "write another format with -o")
    }
    guard dataset.layoutVersion <= HDF5Library.newestLayout else {
      throw CheckpointError(
        .unsupported,
        "has a layout of HDF5 2, which libhdf5 \(HDF5Library.version) cannot write; "
          + "write another format with -o")
    }
    if case .refused(let reason) = dataset.storage { throw CheckpointError(.unsupported, reason) }
    guard chunks.charge(dataset.chunkCount) else {
      throw CheckpointError(
        .unsupported,
        "more than \(chunks.limit) chunks would be written into a file of \(file.input.size) "
          + "bytes; pass --allow-large to write them")
    }
    // libhdf5 trusts what it finds.
    if case .chunks(let chunks) = dataset.storage {
      try HDF5ChunkIndex(file, dataset, chunks).check()
    }
    let change =
      packed(dataset, entry)
      ?? Change(dataset: dataset, entry: entry, blocks: HDF5Blocks(filling: dataset))
    changes.append(change)
  }

  private static func reason(_ filter: HDF5Table.Filter) -> String {
    filter.number == HDF5Table.Filter.scaleOffset ? "without loss" : "by libhdf5"
  }

  /// A change of a dataset whose chunks are packed here, by several tasks: those that are shuffled
  /// and deflated, not too large, and each one run of the tensor's bytes.
  private func packed(_ dataset: HDF5Table.Dataset, _ entry: Checkpoint.Entry) -> Change? {
    guard case .chunked(let chunk) = dataset.layout, let size = dataset.chunkSize,
      size <= HDF5BlockBuffer.maxPacked, let last = dataset.filters.last,
      last.number == HDF5Table.Filter.gzip, let level = last.values.first, (1...9).contains(level),
      dataset.filters.dropLast().map(\.number)
        == (dataset.info.dtype.byteWidth > 1 ? [HDF5Table.Filter.shuffle] : [])
    else { return nil }
    let blocks = HDF5Blocks(dataset.info, chunk: chunk, target: size, limit: size)
    guard blocks.blockShape == chunk else { return nil }
    let own = HDF5Packing.planes
    return Change(
      dataset: dataset, entry: entry, blocks: blocks,
      packing: isOurs && level == own.level ? own : .gzip(level: level))
  }

  /// The changes if they are only ranges of bytes; `nil` if the library writes.
  var patches: PatchedCopy? { changes.isEmpty && attributes.isEmpty ? copy : nil }

  /// Writes the copy.
  func write(to sink: ByteSink) async throws {
    guard !changes.isEmpty || !attributes.isEmpty else {
      return try await copy.write(to: sink, threads: threads)
    }
    try await sink.staging { staged in
      do {
        try await copy.write(to: staged, threads: threads)
        let editor = try HDF5FileEditor(staged, copyOf: file.input.name)
        try await write(to: editor)
        try editor.setRootAttributes(attributes)
        try editor.close(restoringTimesOf: file)
        try check(try HDF5File(staged.readBack()))
      } catch let error as CheckpointError {
        throw error.adding(path: staged.name)
      }
    }
  }

  /// Makes sure that our own reader finds every dataset again in what the library has left.
  private func check(_ written: HDF5File) throws(CheckpointError) {
    let (before, after) = (file.table.datasets, written.table.datasets)
    let isWhole = before.elementsEqual(after) {
      $0.address == $1.address && $0.path == $1.path && $0.info == $1.info
    }
    guard isWhole else {
      throw CheckpointError(
        .malformed, "libhdf5 lost datasets while it wrote; the file is most likely damaged")
    }
  }

  /// Writes the changes, block after block; they are read and packed in parallel.
  private func write(to editor: HDF5FileEditor) async throws {
    let entries = changes.map(\.entry)
    try await pipeline(
      // A size of 0 makes every block a piece of its own.
      Pieces(
        of: entries, size: 0,
        cut: .target { [changes] in changes[$0].blocks.block(holding: $1).bytes.upperBound },
        maxGathered: 1),
      threads: threads, size: changes.map(\.blocks.blockBytes).max() ?? 0,
      work: { [changes] pieces -> Pool<HDF5BlockBuffer>.Item in
        let change = changes[pieces[0].tensor]
        let buffer = HDF5BlockBuffer.pool.acquire()
        try buffer.value.read(
          change.entry, change.blocks.block(holding: pieces[0].range.lowerBound))
        if let packing = change.packing {
          try buffer.value.pack(
            chunkSize: change.blocks.blockBytes, width: change.entry.info.dtype.byteWidth, packing)
        }
        return buffer
      },
      finish: { pieces, buffer in
        let change = changes[pieces[0].tensor]
        let block = change.blocks.block(holding: pieces[0].range.lowerBound)
        try CheckpointError.placing(
          buffer.value.lend { bytes throws(CheckpointError) in
            if change.packing == nil {
              try editor.write(block, of: change.dataset, bytes)
            } else {
              try editor.writeChunk(block, of: change.dataset, bytes)
            }
          }, tensor: change.entry.name.text)
        if change.blocks.blockBytes <= HDF5BlockBuffer.maxPacked {
          HDF5BlockBuffer.pool.release(buffer)
        }
      })
  }
}
