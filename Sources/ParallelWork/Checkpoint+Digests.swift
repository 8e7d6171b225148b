import Synchronization
public import TensorCore

extension Checkpoint {
  /// SHA-256 of each entry's bytes, in order, or what kept it from being read.
  ///
  /// A digest takes its tensor's bytes one after another, so reading goes ahead of it: many tensors
  /// are digested side by side, and one alone as fast as the slower of reading and digesting.
  public static func digests(
    of entries: [Entry], threads: Int
  ) async throws -> [Result<Digest, any Error>] {
    let state = DigestState(count: entries.count)
    try await pipeline(
      DigestPiece.all(of: entries), threads: threads, lane: \.entries.lowerBound,
      work: { piece in
        guard let range = piece.range else {
          for index in piece.entries { state.finish(index, Result { try entries[index].digest() }) }
          return nil
        }
        return state.read(entries[piece.entries.lowerBound], range, piece)
      },
      finish: { (piece, memory: Pool<DigestMemory>.Item?) in
        guard let memory else { return }
        state.update(piece, memory.value)
        DigestMemory.pool.release(memory)
      })
    return state.results
  }
}

extension Checkpoint.Entry {
  /// SHA-256 of the tensor's bytes, read from end to end in chunks.
  public func digest() throws -> Digest {
    var buffer = ChunkBuffer(capacity: min(info.byteCount, ChunkBuffer.standardSize))
    var builder = DigestBuilder()
    try forEachChunk(using: &buffer) { _, bytes in builder.update(bytes) }
    return builder.finalize()
  }
}

/// What one task reads: some small tensors, or part of a large one.
private struct DigestPiece: Sendable {
  /// The tensors; one if there is a range.
  let entries: Range<Int>
  let range: Range<Int>?
  var isLast = true

  /// Bytes that a piece has at least, if its tensor does.
  private static let size = 2 << 20
  private static let maxTensors = 64

  static func all(of entries: [Checkpoint.Entry]) -> some Sequence<DigestPiece> {
    sequence(state: (index: 0, offset: 0)) { place -> DigestPiece? in
      guard place.index < entries.count else { return nil }
      let first = place.index
      let (total, unit) = (entries[first].info.byteCount, entries[first].preferredReadSize)
      if total > size {
        let step = (size + unit - 1) / unit * unit
        let range = place.offset..<min(place.offset + step, total)
        let isLast = range.upperBound == total
        place = isLast ? (first + 1, 0) : (first, range.upperBound)
        return DigestPiece(entries: first..<first + 1, range: range, isLast: isLast)
      }
      var bytes = 0
      while place.index < entries.count, place.index - first < maxTensors {
        bytes += entries[place.index].info.byteCount
        if bytes > size { break }
        place.index += 1
      }
      return DigestPiece(entries: first..<place.index, range: nil)
    }
  }
}

/// Memory for part of a tensor on its way to a digest.
private struct DigestMemory: ~Copyable {
  private var buffer = ChunkBuffer(capacity: 2 << 20)
  private var count = 0

  /// Memory that nobody has.
  static let pool = Pool(capacity: 32) { DigestMemory() }

  mutating func read(_ range: Range<Int>, of entry: Checkpoint.Entry) throws {
    if buffer.capacity < range.count { buffer = ChunkBuffer(capacity: range.count) }
    count = range.count
    _ = try entry.read(range.lowerBound, range.count, using: &buffer)
  }

  func hash(into builder: inout DigestBuilder) { builder.update(buffer.bytes(count)) }
}

/// The digests in the making; each lane works on its own tensors.
private final class DigestState: Sendable {
  private struct Content {
    var results: [Result<Digest, any Error>?]
    var builders: [Int: DigestBuilder] = [:]
  }

  private let content: Mutex<Content>

  init(count: Int) { content = Mutex(Content(results: .init(repeating: nil, count: count))) }

  var results: [Result<Digest, any Error>] {
    content.withLock { $0.results.compactMap { $0 } }
  }

  func finish(_ index: Int, _ result: Result<Digest, any Error>) {
    content.withLock { $0.results[index] = result }
  }

  /// Reads a part of a tensor; `nil` if that goes wrong, or went wrong before.
  func read(
    _ entry: Checkpoint.Entry, _ range: Range<Int>, _ piece: DigestPiece
  ) -> Pool<DigestMemory>.Item? {
    let index = piece.entries.lowerBound
    if content.withLock({ $0.results[index] != nil }) { return nil }
    let memory = DigestMemory.pool.acquire()
    do {
      try memory.value.read(range, of: entry)
      return memory
    } catch {
      DigestMemory.pool.release(memory)
      // The first part that is wrong is the one to tell of.
      content.withLock { if $0.results[index] == nil { $0.results[index] = .failure(error) } }
      return nil
    }
  }

  func update(_ piece: DigestPiece, _ memory: borrowing DigestMemory) {
    let index = piece.entries.lowerBound
    var builder = content.withLock { $0.builders.removeValue(forKey: index) } ?? DigestBuilder()
    memory.hash(into: &builder)
    let updated = builder
    content.withLock { content in
      if !piece.isLast {
        content.builders[index] = updated
      } else if content.results[index] == nil {
        content.results[index] = .success(updated.finalize())
      }
    }
  }
}
