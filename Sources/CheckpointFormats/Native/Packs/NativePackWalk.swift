import ByteIO
import ParallelWork
import TensorCore

/// Reading all of a pack to find damage, each chunk once: those that differ from a chunk are made of it
/// while it is in memory, however long the chains are.
///
/// Of an index only what it stores is kept, so that memory does not grow with unchanged tensors.
struct NativePackWalk {
  /// What a step stores of a tensor.
  private struct Node: Sendable {
    let step: Int
    let stored: NativeIndex.Stored
    /// The tensors that have these chunks.
    var names: [TensorName]
    /// How many others it is made of, one after the other.
    let depth: Int
    /// Those of later steps that differ from it.
    var children: [Int] = []
  }

  private struct Content: Hashable {
    let step: Int
    let digest: Digest
  }

  /// A chunk of what does not differ from anything.
  private struct Root: Sendable {
    let node: Int
    let chunk: Int
  }

  /// What reading a root and all that is made of it has found.
  private struct Findings: Sendable {
    var errors: [(node: Int, error: CheckpointError)] = []
    /// What cannot be made, since what it differs from is damaged.
    var unmade: [(node: Int, base: Int)] = []
  }

  private let pack: NativePackFile
  /// The file without an index of its own, to read chunks.
  private let file: NativeFile
  private var nodes: [Node] = []
  private var places: [Content: Int] = [:]
  /// Steps whose index cannot be read.
  private var unread: Set<Int> = []
  /// What cannot be made, since it refers to one of these, directly or by way of others.
  private var lost: [Content: Int] = [:]
  private var errors: [[CheckpointError]] = []

  private static let memory = Pool(capacity: 32) {
    ChunkBuffer(capacity: NativeLayout.chunkSize)
  }

  init(_ pack: NativePackFile) {
    self.pack = pack
    file = NativeFile(
      pack.file, NativeIndex(metadata: [:], values: [], modules: [], tensors: []))
  }

  /// Reads every byte that belongs to a step, and returns the first error of each damaged tensor.
  mutating func verify(threads: Int) async throws -> [CheckpointError] {
    for step in pack.pack.steps.indices {
      errors.append([])
      add(step)
    }
    try await readChunks(threads: threads)
    return errors.indices.flatMap { step in
      errors[step].map { error in
        CheckpointError(
          error.code, "step \(step): \(error.message)", path: error.path ?? pack.file.name,
          tensor: error.tensor, offset: error.offset)
      }
    }
  }

  // MARK: - Indexes

  /// Reads the index of a step, and all of it but the chunks.
  private mutating func add(_ step: Int) {
    let index: NativeIndex
    do throws(CheckpointError) {
      index = try pack.unnamedIndex(step)
    } catch {
      unread.insert(step)
      errors[step].append(error)
      return
    }
    var told: Set<String> = []
    for tensor in index.tensors {
      do throws(CheckpointError) {
        try add(tensor, of: step)
      } catch {
        // References to a step that cannot be read are reported once.
        guard let (base, isDirect) = unreadBase(of: tensor) else {
          errors[step].append(error.adding(tensor: tensor.name.text))
          continue
        }
        if case .stored(let stored) = tensor.content {
          lost[Content(step: step, digest: stored.digest)] = base
        }
        let message =
          "\(isDirect ? "refers to" : "depends on") step \(base), which cannot be read"
        if told.insert(message).inserted {
          errors[step].append(CheckpointError(error.code, message))
        }
      }
    }
    errors[step] += file.errors(in: index.records)
  }

  private func reference(of tensor: NativeIndex.Tensor) -> NativeIndex.Reference? {
    switch tensor.content {
    case .alias: nil
    case .unchanged(_, let reference): reference
    case .stored(let stored): stored.base
    }
  }

  /// The step that cannot be read and of which a tensor is made, and whether that is its own base.
  private func unreadBase(of tensor: NativeIndex.Tensor) -> (step: Int, isDirect: Bool)? {
    guard let reference = reference(of: tensor), let step = reference.step else { return nil }
    if unread.contains(step) { return (step, true) }
    return lost[Content(step: step, digest: reference.digest)].map { ($0, false) }
  }

  private mutating func add(
    _ tensor: NativeIndex.Tensor, of step: Int
  ) throws(CheckpointError) {
    switch tensor.content {
    case .alias: return
    case .unchanged(let info, let reference):
      // Its bytes are verified where they are stored.
      try check(nodes[node(reference, info.byteCount)].depth + 1)
    case .stored(let stored):
      let content = Content(step: step, digest: stored.digest)
      if let known = places[content],
        nodes[known].stored.chunks.first?.offset == stored.chunks.first?.offset
      {
        nodes[known].names.append(tensor.name)
        return
      }
      try file.checkPadding(before: stored)
      var depth = 0
      if let base = stored.base {
        let parent = try node(base, stored.info.byteCount)
        depth = nodes[parent].depth + 1
        try check(depth)
        nodes[parent].children.append(nodes.count)
      }
      if places[content] == nil { places[content] = nodes.count }
      nodes.append(Node(step: step, stored: stored, names: [tensor.name], depth: depth))
    }
  }

  private func node(
    _ reference: NativeIndex.Reference, _ byteCount: Int
  ) throws(CheckpointError) -> Int {
    guard let step = reference.step,
      let node = places[Content(step: step, digest: reference.digest)],
      nodes[node].stored.info.byteCount == byteCount
    else { throw pack.missing(reference, byteCount) }
    return node
  }

  private func check(_ depth: Int) throws(CheckpointError) {
    if depth > NativeLayout.maxChain { throw pack.tooLong }
  }

  // MARK: - Chunks

  private mutating func readChunks(threads: Int) async throws {
    let (nodes, file) = (nodes, file)
    let roots = nodes.indices.lazy.filter { nodes[$0].stored.base == nil }.flatMap { node in
      nodes[node].stored.chunks.indices.lazy.map { Root(node: node, chunk: $0) }
    }
    var first = [CheckpointError?](repeating: nil, count: nodes.count)
    var unmade: [Int: Set<Int>] = [:]
    try await pipeline(
      roots, threads: threads, size: NativeLayout.chunkSize,
      work: { root in
        var findings = Findings()
        Self.read(root.node, root.chunk, of: nodes, from: nil, file, &findings)
        return findings
      },
      finish: { _, findings in
        for (node, error) in findings.errors where first[node] == nil { first[node] = error }
        for (node, base) in findings.unmade { unmade[base, default: []].insert(node) }
      })
    for (number, node) in nodes.enumerated() {
      guard let error = first[number] else { continue }
      let later = unmade[number].map { lost in
        lost.count == 1
          ? "; 1 tensor of a later step needs it"
          : "; \(lost.count) tensors of later steps need it"
      }
      for name in node.names {
        errors[node.step].append(
          CheckpointError(
            error.code, error.message + (later ?? ""), path: error.path, tensor: name.text,
            offset: error.offset))
      }
    }
  }

  /// Reads a chunk, and those that are made of it.
  private static func read(
    _ node: Int, _ chunk: Int, of nodes: [Node], from base: Pool<ChunkBuffer>.Item?,
    _ file: NativeFile, _ findings: inout Findings
  ) {
    let (stored, children) = (nodes[node].stored, nodes[node].children)
    let range = NativeLayout.chunkRange(chunk, of: stored.info.byteCount)
    let buffer = memory.acquire()
    defer { memory.release(buffer) }
    let original = base.map { base in
      Checkpoint.Entry(name: "", info: stored.info) { range, target in
        Self.copy(base.value, into: &target)
      }
    }
    var isDamaged = false
    do throws(CheckpointError) {
      try Self.decode(chunk, of: stored, from: original, file, range.count, into: &buffer.value)
    } catch {
      findings.errors.append((node, error))
      isDamaged = true
    }
    for child in children {
      if isDamaged, nodes[child].stored.chunks[chunk].filter.needsBase {
        lose(child, chunk, of: nodes, with: node, file, &findings)
      } else {
        read(child, chunk, of: nodes, from: isDamaged ? nil : buffer, file, &findings)
      }
    }
  }

  /// Notes that a chunk cannot be made, nor what is made of it, since that of another is damaged.
  private static func lose(
    _ node: Int, _ chunk: Int, of nodes: [Node], with base: Int, _ file: NativeFile,
    _ findings: inout Findings
  ) {
    findings.unmade.append((node, base))
    for child in nodes[node].children {
      if nodes[child].stored.chunks[chunk].filter.needsBase {
        lose(child, chunk, of: nodes, with: base, file, &findings)
      } else {
        read(child, chunk, of: nodes, from: nil, file, &findings)
      }
    }
  }

  // Functions that take a buffer, because the compiler takes access to a part of one as access to all
  // of what it belongs to.

  private static func copy(_ buffer: borrowing ChunkBuffer, into target: inout MutableRawSpan) {
    target.copyBytes(from: buffer.bytes(target.byteCount))
  }

  private static func decode(
    _ chunk: Int, of stored: NativeIndex.Stored, from base: Checkpoint.Entry?, _ file: NativeFile,
    _ count: Int, into buffer: inout ChunkBuffer
  ) throws(CheckpointError) {
    var target = buffer.mutableBytes(count)
    try file.decode(chunk..<chunk + 1, of: stored, from: base, into: &target)
  }
}
