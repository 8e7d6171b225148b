import Glibc
import ParallelWork
import Synchronization
import TensorCore

/// A file on a web server, of which only the requested bytes are fetched (RFC 9110, section 14).
///
/// The server must support range requests. If it sends an `ETag`, a change of the file while it is
/// read is detected.
final class RemoteFile: Sendable {
  private let url: String
  /// Size of the file in bytes when it was opened.
  let size: Int
  let entityTag: String?
  /// The blocks that were fetched last for small reads, which parsing an index needs many of.
  private let recent = BlockCache(capacity: 8 * blockSize)

  /// Number of bytes fetched for a small read.
  private static let blockSize = 1 << 18
  /// Makes the requests, so that several are in flight whoever waits for them.
  private static let threads = IOThreads(count: WorkLimits.requests)
  /// Number of times that a request is tried.
  private static let attempts = 3

  /// Requests the beginning of a file, which also yields its size.
  init(url: String) throws(CheckpointError) {
    var memory = ChunkBuffer(capacity: Self.blockSize)
    var target = memory.mutableBytes(Self.blockSize)
    let answered = Mutex(WebRequest.Answer())
    try Self.threads.fill(&target, inPartsOf: Self.blockSize) {
      _, part throws(CheckpointError) in
      let answer = try Self.get(url, 0..<Self.blockSize, entityTag: nil, into: &part)
      answered.withLock { $0 = answer }
    }
    let answer = answered.withLock { $0 }
    guard let total = answer.contentRange.flatMap(Self.total), total > 0,
      answer.count == min(total, Self.blockSize)
    else {
      throw CheckpointError(
        .system, "the server did not report which part of the file it sent", path: url)
    }
    self.url = url
    size = total
    entityTag = answer.entityTag
    recent.read(BlockCache.Key(offset: 0), size: answer.count) {
      $0.copyBytes(from: memory.bytes(answer.count))
    } _: { _ in
    }
  }

  /// Fills `target` with the bytes starting at `offset`; the range must be inside the file.
  func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    let count = target.byteCount
    // Large reads bypass the cache: they come once, and would evict what small reads need.
    guard count < Self.blockSize else { return try fetch(offset..<offset + count, into: &target) }
    var done = 0
    while done < count {
      let start = (offset + done) / Self.blockSize * Self.blockSize
      let size = min(Self.blockSize, size - start)
      let skipped = offset + done - start
      let length = min(size - skipped, count - done)
      var part = target._mutatingExtracting(done..<done + length)
      try recent.copy(
        skipped..<skipped + length, of: BlockCache.Key(offset: start), size: size, into: &part
      ) { block throws(CheckpointError) in
        try fetch(start..<start + size, into: &block)
      }
      done += length
    }
  }

  /// Asks for a range, in several requests at once if it is large.
  private func fetch(
    _ range: Range<Int>, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    try Self.threads.fill(&target, inPartsOf: WorkLimits.requestSize) {
      [self] offset, part throws(CheckpointError) in
      let start = range.lowerBound + offset
      try request(start..<start + part.byteCount, into: &part)
    }
  }

  private func request(
    _ range: Range<Int>, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let answer = try Self.get(url, range, entityTag: entityTag, into: &target)
    guard answer.count == range.count, answer.contentRange.flatMap(Self.total) == size else {
      throw CheckpointError(
        .system,
        "the file changed while it was read: expected \(range.count) bytes, found \(answer.count)",
        path: url, offset: range.lowerBound)
    }
  }

  private static func get(
    _ url: String, _ range: Range<Int>, entityTag: String?, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> WebRequest.Answer {
    if let obstacle = WebRequest.obstacle {
      throw CheckpointError(obstacle.code, obstacle.message, path: url)
    }
    var attempt = 1
    while true {
      let request = WebRequest.pool.acquire()
      let answer = request.value.get(url, range, entityTag: entityTag, into: &target)
      WebRequest.pool.release(request)
      if answer.status == 206, answer.failure == nil, !answer.isTooLong { return answer }
      // No answer, an error of the server, or too many requests: each may pass.
      let isPassing = answer.failure != nil || answer.status >= 500 || answer.status == 429
      guard isPassing, attempt < attempts else {
        throw CheckpointError(
          .system, refusal(answer), path: url,
          offset: range.lowerBound == 0 ? nil : range.lowerBound)
      }
      usleep(UInt32(attempt) * 300_000)
      attempt += 1
    }
  }

  private static func refusal(_ answer: WebRequest.Answer) -> String {
    switch answer.status {
    case 200: "the server does not support range requests; download the file first"
    case 412: "the file changed while it was read"
    case 0, 206: answer.failure ?? "the server sent more bytes than requested"
    default: "the server answered with HTTP status \(answer.status)"
    }
  }

  /// The size of the whole file in `bytes 0-99/1234`.
  private static func total(_ field: String) -> Int? {
    guard field.hasPrefix("bytes "), let slash = field.lastIndex(of: "/") else { return nil }
    return Int(field[field.index(after: slash)...])
  }
}

extension ByteSource {
  /// Opens a file on a web server.
  ///
  /// - Throws: ``CheckpointError`` `system` with the error of the server or the network.
  static func web(_ url: String) throws(CheckpointError) -> ByteSource {
    let file = try RemoteFile(url: url)
    return ByteSource(name: url, size: file.size, entityTag: file.entityTag) {
      offset, target throws(CheckpointError) in try file.read(at: offset, into: &target)
    }
  }
}
