import ByteIO
import ParallelWork
import TensorCore

/// Reads whole tensors with several tasks, and delivers their bytes in order.
///
/// Memory is bounded by the number of tasks, whatever the tensors' sizes, and is reused. The result
/// does not depend on the number of tasks.
struct TensorStream {
  /// Receives the index of a tensor, the offset of these bytes in it, and the bytes; called once for
  /// a tensor without bytes.
  typealias Body = (_ tensor: Int, _ offset: Int, _ bytes: RawSpan) throws -> Void

  private let entries: [Checkpoint.Entry]
  private let threads: Int

  /// Creates a stream of these tensors, read by at most `threads` tasks.
  init(_ entries: [Checkpoint.Entry], threads: Int) {
    self.entries = entries
    self.threads = max(threads, 1)
  }

  /// Calls `body` for every chunk, in order, on the caller's task; the first error ends it.
  func forEachChunk(_ body: Body) async throws {
    var place = (tensor: 0, offset: 0)
    let pool = StreamJob.pool
    if threads == 1 {
      let memory = pool.acquire()
      defer { pool.release(memory) }
      while let pieces = StreamJob.pieces(of: entries, from: &place) {
        try memory.value.fill(with: pieces, of: entries)
        try memory.value.handOver(to: body)
      }
      return
    }
    try await withThrowingTaskGroup(of: Int.self) { group in
      var started = 0
      var handedOver = 0
      var memory: [Int: Pool<StreamJob>.Item] = [:]
      var done: Set<Int> = []
      func start() {
        while started - handedOver < 2 * threads + 2, memory.count - done.count < threads,
          let pieces = StreamJob.pieces(of: entries, from: &place)
        {
          let (number, item) = (started, pool.acquire())
          memory[number] = item
          started += 1
          group.addTask { [entries] in
            try item.value.fill(with: pieces, of: entries)
            return number
          }
        }
      }
      start()
      while let number = try await group.next() {
        done.insert(number)
        while done.remove(handedOver) != nil, let item = memory.removeValue(forKey: handedOver) {
          start()
          try item.value.handOver(to: body)
          pool.release(item)
          handedOver += 1
        }
        start()
      }
    }
  }
}

/// What one task reads: a chunk of one tensor, or some small tensors.
private struct StreamJob: ~Copyable {
  struct Piece: Sendable {
    let tensor: Int
    let range: Range<Int>
  }

  /// Jobs that are not at work.
  static let pool = Pool<StreamJob>(capacity: 16) { StreamJob() }
  /// Most pieces of a job.
  private static let maxPieces = 256

  private var pieces: [Piece] = []
  private var memory = ChunkBuffer()

  /// The pieces that begin at a place, and where the next ones begin; `nil` at the end.
  static func pieces(
    of entries: [Checkpoint.Entry], from place: inout (tensor: Int, offset: Int)
  ) -> [Piece]? {
    var pieces: [Piece] = []
    var room = ChunkBuffer.standardSize
    while place.tensor < entries.count, pieces.count < maxPieces {
      let size = entries[place.tensor].info.byteCount
      let rest = size - place.offset
      // Large tensors are cut at whole chunks; small ones are not cut at all.
      if rest > room, room < ChunkBuffer.standardSize { break }
      let count = min(rest, room)
      pieces.append(Piece(tensor: place.tensor, range: place.offset..<place.offset + count))
      room -= count
      place = count == rest ? (place.tensor + 1, 0) : (place.tensor, place.offset + count)
    }
    return pieces.isEmpty ? nil : pieces
  }

  mutating func fill(with pieces: [Piece], of entries: [Checkpoint.Entry]) throws {
    self.pieces = pieces
    var start = 0
    for piece in pieces {
      try Self.read(piece, of: entries[piece.tensor], into: &memory, at: start)
      start += piece.range.count
    }
  }

  private static func read(
    _ piece: Piece, of entry: Checkpoint.Entry, into memory: inout ChunkBuffer, at start: Int
  ) throws {
    let end = start + piece.range.count
    var bytes = memory.mutableBytes(end)
    var target = bytes._mutatingExtracting(start..<end)
    try entry.read(piece.range, into: &target)
  }

  func handOver(to body: TensorStream.Body) throws {
    var start = 0
    for piece in pieces {
      let end = start + piece.range.count
      try body(
        piece.tensor, piece.range.lowerBound, memory.bytes(end).extracting(start..<end))
      start = end
    }
  }
}
