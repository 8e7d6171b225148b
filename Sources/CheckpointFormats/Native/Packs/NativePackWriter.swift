import ByteIO
import ParallelWork
import Ranks
import TensorCore

/// Adds checkpoints to a pack, each written against those before it.
///
/// Bytes that any earlier step stores are not stored again. Of other tensors, chunks are written as
/// differences from the step before where that is smaller, until what must be read for a tensor
/// becomes too much; then it is written whole.
final class NativePackWriter {
  /// What must be read for the bytes that a step stores.
  private struct Chain {
    /// Differences of differences.
    var length = 0
    /// Stored bytes of all of them, and of what was stored whole.
    var size: Int
    /// Stored bytes of what was stored whole.
    let wholeSize: Int

    /// Whether one more difference is worth reading all that.
    var mayGrow: Bool {
      length < NativePackWriter.maxLinks
        && size < wholeSize.saturated(times: NativePackWriter.maxGrowth)
    }
  }

  /// How many times the bytes of a tensor that is stored whole may be read to restore it.
  private static let maxGrowth = 8
  /// Most differences of differences, each of which is read to restore a tensor; readers allow more.
  private static let maxLinks = 16

  /// A step whose chunks are written; its index waits until it is known what parity has to cover.
  private struct Pending {
    let index: NativeIndex
    let name: String
    let format: String
    let start: Int
    let parity: Int?
    let threads: Int
  }

  private let sink: ByteSink
  private(set) var pack: NativePack
  private var pending: Pending?
  /// The percentage of parity of the last step of a pack that grows.
  private var parity: Int?

  /// The number of the step that is added next.
  var count: Int { pack.steps.count + (pending == nil ? 0 : 1) }
  /// Where bytes are stored.
  private var references: [Digest: NativeIndex.Reference] = [:]
  private var chains: [NativeIndex.Reference: Chain] = [:]
  /// The tensors of the last step.
  private var previous: [TensorName: (entry: Checkpoint.Entry, reference: NativeIndex.Reference)] =
    [:]

  /// Begins a pack in an empty sink.
  init(_ sink: ByteSink) throws(CheckpointError) {
    self.sink = sink
    pack = NativePack()
    try sink.append(NativeLayout.header(flags: NativeLayout.packFlag).rawBytes)
  }

  /// Continues a pack, in a sink that appends to it.
  init(_ sink: ByteSink, after file: NativePackFile) throws(CheckpointError) {
    self.sink = sink
    pack = file.pack
    for number in pack.steps.indices {
      let index = try file.index(number)
      note(index, step: number)
      guard number == pack.steps.count - 1 else { continue }
      parity = try file.file(number: number).parityPercent()
      var known: [TensorName: NativeIndex.Reference] = [:]
      for tensor in index.tensors { known[tensor.name] = reference(to: tensor.content) }
      for entry in try file.file(number: number).checkpoint().entries {
        if let reference = known[entry.name] { previous[entry.name] = (entry, reference) }
      }
    }
  }

  private func reference(to content: NativeIndex.Content) -> NativeIndex.Reference? {
    switch content {
    case .alias: nil
    case .unchanged(_, let reference): reference
    case .stored(let stored): references[stored.digest]
    }
  }

  /// Remembers what a step stores.
  private func note(_ index: NativeIndex, step: Int) {
    for case .stored(let stored) in index.tensors.map(\.content)
    where references[stored.digest] == nil {
      let reference = NativeIndex.Reference(digest: stored.digest, step: step)
      references[stored.digest] = reference
      let size = stored.storedSize
      guard let base = stored.base, var chain = chains[base] else {
        chains[reference] = Chain(size: size, wholeSize: size)
        continue
      }
      chain.length += 1
      chain.size += size
      chains[reference] = chain
    }
  }

  /// Adds a checkpoint.
  ///
  /// - Throws: `CheckpointError` from the entries, or when the name is not that of a file.
  func add(
    _ checkpoint: Checkpoint, name: String, format: String, options: WriteOptions
  ) async throws {
    guard NativePack.isFileName(name) else {
      throw CheckpointError(
        .unsupported, "expected a file name that does not begin with '.', found '\(name)'")
    }
    parity = options.parity ?? parity
    guard parity == nil || sink.ranks.size == 1 else {
      throw CheckpointError(
        .unsupported, "several ranks cannot write parity; pack it with one process", path: sink.name
      )
    }
    try await finishStep()
    let number = pack.steps.count
    let entries = checkpoint.entries.filter { $0.alias == nil }
    var known: [TensorName: NativePlan.Known] = [:]
    for (entry, digest) in zip(entries, try await entries.digests(threads: options.threads)) {
      var fact = NativePlan.Known(digest: digest, stored: references[digest])
      if let base = previous[entry.name], chains[base.reference]?.mayGrow == true,
        base.entry.info.dtype == entry.info.dtype,
        base.entry.info.byteCount == entry.info.byteCount
      {
        fact.base = base
      }
      known[entry.name] = fact
    }
    let plan = try NativePlan(checkpoint, compression: options.compression, known: known)
    let start = sink.position
    let index = try await NativeWriter.append(
      checkpoint, plan, to: sink, threads: options.threads)
    pending = Pending(
      index: index, name: name, format: format, start: start, parity: parity,
      threads: options.threads)
    if parity == nil { try await finishStep() }
    note(index, step: number)
    previous = [:]
    for entry in entries {
      guard let digest = known[entry.name]?.digest, let reference = references[digest] else {
        continue
      }
      previous[entry.name] = (entry, reference)
    }
  }

  /// Appends the index of the last step, if it waits.
  private func finishStep() async throws {
    guard let pending else { return }
    self.pending = nil
    try await append(pending) { _, _ in [] }
  }

  /// Appends the index of a step, and before it parity that covers the step and what `rest` puts after it;
  /// the last `withheld` bytes of that are only covered.
  private func append(
    _ pending: Pending, withholding withheld: Int = 0,
    rest: (_ steps: [NativePack.Step], _ offset: Int) throws(CheckpointError) -> [UInt8]
  ) async throws {
    var steps = pack.steps
    func ending(_ index: NativeIndex, at offset: Int) throws(CheckpointError) -> ParityWriter.Tail {
      let text = index.text
      let (stream, digest) = try NativeWriter.packed(text, for: sink.name)
      let end = offset + stream.count
      steps = pack.steps
      steps.append(
        NativePack.Step(
          name: pending.name, format: pending.format, start: pending.start,
          index: try NativeFooter(
            index: offset..<end, contentSize: text.count, digest: digest)))
      return ParityWriter.Tail(bytes: stream + (try rest(steps, end)), digest: digest)
    }
    if let parity = pending.parity {
      // The first step's covers the header as well.
      let start = pack.steps.isEmpty ? 0 : pending.start
      try await ParityWriter.append(
        to: sink, from: start, percent: parity, threads: pending.threads, withholding: withheld
      ) { record, offset in
        var index = pending.index
        index.records.append(record)
        return try ending(index, at: offset)
      }
    } else {
      let bytes = try ending(pending.index, at: sink.position).bytes
      try sink.append(bytes.rawBytes.extracting(0..<bytes.count - withheld))
    }
    pack.steps = steps
  }

  /// Appends the index of the steps; the footer that makes it valid is returned, to be appended once
  /// all else is on the disk.
  func finish() async throws -> [UInt8] {
    let name = sink.name
    var footer: [UInt8] = []
    func ending(_ steps: [NativePack.Step], at offset: Int) throws(CheckpointError) -> [UInt8] {
      let text = NativePack(steps: steps).text
      let (stream, digest) = try NativeWriter.packed(text, for: name)
      footer = NativeWriter.footer(
        offset: offset, size: stream.count, content: text.count, digest)
      return stream
    }
    guard let pending else {
      let bytes = try ending(pack.steps, at: sink.position)
      try sink.append(bytes.rawBytes)
      return footer
    }
    self.pending = nil
    try await append(pending, withholding: NativeLayout.footerSize) {
      steps, offset throws(CheckpointError) in
      try ending(steps, at: offset) + footer
    }
    return footer
  }
}

extension [Checkpoint.Entry] {
  /// The digests of all, of which those are computed that are not stored.
  func digests(threads: Int) async throws -> [Digest] {
    let unknown = filter { $0.storedDigest == nil }
    var found = try await Checkpoint.digests(of: unknown, threads: threads).makeIterator()
    return try map { entry in
      if let digest = entry.storedDigest { return digest }
      guard let next = found.next() else {
        throw CheckpointError(.missing, "its bytes were not read", tensor: entry.name.text)
      }
      return try next.get()
    }
  }
}
