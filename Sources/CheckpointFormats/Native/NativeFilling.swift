import ByteIO
import TensorCore

/// Filling a copy of a `.ckz` file: stored chunks are copied as they are, and only the new tensors are
/// packed.
enum NativeFilling {
  /// Decides what changes.
  static func filled(_ fill: Fill) throws(CheckpointError) -> FilledFiles {
    let file = try NativeFile.opened(fill.template)
    // Other tensors and later steps may be differences from what would change.
    guard try NativePackFile.opened(fill.template) == nil, file.index.base == nil else {
      throw CheckpointError(
        .unsupported,
        "is a pack or a patch, of which no changed copy can be made; convert it first",
        path: fill.template.path)
    }
    // What is changed gets parity of its own.
    let parity = try file.parityPercent()
    return FilledFiles(fill.template.name) { sink in
      guard parity != nil else { return try await write(file, fill, parity: nil, to: sink) }
      try await sink.staging { try await write(file, fill, parity: parity, to: $0) }
    }
  }

  private static func write(
    _ file: NativeFile, _ fill: Fill, parity: Int?, to sink: ByteSink
  ) async throws {
    var index = file.index
    // Chunks follow each other in the order of the tensors, so what is kept goes before the next new one.
    let new = index.tensors.indices.filter { fill.tensors[index.tensors[$0].name] != nil }
    let plan = try NativePlan(
      Checkpoint(
        entries: new.compactMap { index.tensors[$0].replacement(in: fill) }), compression: .standard
    ).keepingRaw(of: new.map { index.tensors[$0] })
    let kept = KeptChunks(file, sink)
    try sink.append(0..<NativeLayout.headerSize, of: file.file)
    let body = NativeBody(plan, sink: sink) { source in
      try kept.append(&index, until: new[source], except: fill)
    }
    try await body.appendAll(threads: fill.threads)
    try kept.append(&index, until: index.tensors.count, except: fill)
    for (source, position) in new.enumerated() {
      guard case .stored(var stored) = index.tensors[position].content,
        let digest = body.digests[source]
      else { continue }
      (stored.digest, stored.chunks) = (digest, body.chunks[source])
      if let first = stored.chunks.first { stored.filter = first.filter }
      stored.chainingValues = body.chainingValues[source]
      index.tensors[position].content = .stored(stored)
    }
    index.records = []
    index.metadata.merge(fill.metadata) { _, new in new }
    try await NativeWriter.finish(sink, index, parity: parity, threads: fill.threads)
  }
}

/// Copies the chunks of tensors that stay, each stored run once.
private final class KeptChunks {
  private let file: NativeFile
  private let sink: ByteSink
  /// The tensor that comes next.
  private var next = 0
  /// The new places of stored runs, by the offset of the old ones.
  private var moved: [Int: [NativeIndex.Chunk]] = [:]

  init(_ file: NativeFile, _ sink: ByteSink) {
    self.file = file
    self.sink = sink
  }

  /// Copies the chunks of the tensors before `end` that are not filled, and notes where they are.
  func append(_ index: inout NativeIndex, until end: Int, except fill: Fill) throws {
    while next < end {
      defer { next += 1 }
      guard fill.tensors[index.tensors[next].name] == nil,
        case .stored(var stored) = index.tensors[next].content, let first = stored.chunks.first,
        let last = stored.chunks.last
      else { continue }
      if let known = moved[first.offset] {
        stored.chunks = known
      } else {
        if stored.filter == .raw { try sink.pad(toMultipleOf: NativeLayout.alignment) }
        let distance = sink.position - first.offset
        try sink.append(first.offset..<last.offset + last.length, of: file.file)
        for index in stored.chunks.indices { stored.chunks[index].offset += distance }
        moved[first.offset] = stored.chunks
      }
      index.tensors[next].content = .stored(stored)
    }
  }
}

extension NativeIndex.Tensor {
  /// The new tensor of the same name.
  fileprivate func replacement(in fill: Fill) -> Checkpoint.Entry? {
    guard var entry = fill.tensors[name] else { return nil }
    (entry.name, entry.alias) = (name, nil)
    return entry
  }
}

extension NativePlan {
  /// The same, except that tensors stand as they are that did so.
  fileprivate func keepingRaw(of tensors: [NativeIndex.Tensor]) -> NativePlan {
    var plan = self
    for (source, tensor) in tensors.enumerated() {
      if case .stored(let stored) = tensor.content, stored.filter == .raw {
        plan.sources[source].packing = .raw
      }
    }
    return plan
  }
}
