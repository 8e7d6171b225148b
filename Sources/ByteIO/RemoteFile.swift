import Glibc
import ParallelWork
import Synchronization
import TensorCore

/// A file on a web server, of which only the requested bytes are fetched (RFC 9110, section 14).
///
/// The server must support range requests, and every answer must hold the range that was requested, of
/// a file of the same size. If it sends an `ETag` or `Last-Modified`, a change of the file while it is
/// read is detected.
final class RemoteFile: Sendable {
  private let url: String
  /// Size of the file in bytes when it was opened.
  let size: Int
  /// Header field `ETag`, if it is a strong one (RFC 9110, section 8.8.3): a weak one, `W/"…"`, may stay
  /// while bytes change, and `If-Match` never matches it.
  let entityTag: String?
  /// The first answer, with which later ones must agree.
  private let opened: WebRequest.Answer
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
    guard let total = answer.contentRange?.total else {
      throw CheckpointError(.system, "the server does not report the size of the file", path: url)
    }
    self.url = url
    size = total
    entityTag = answer.entityTag.flatMap { $0.hasPrefix("\"") ? $0 : nil }
    opened = answer
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
    if let change = change(in: answer) {
      throw CheckpointError(
        .system, "the file changed while it was read: \(change)", path: url,
        offset: range.lowerBound)
    }
  }

  /// What differs from the first answer; a server may leave fields out.
  private func change(in answer: WebRequest.Answer) -> String? {
    if let total = answer.contentRange?.total, total != size {
      return "it had \(size) bytes, now it has \(total)"
    }
    for (name, field) in [
      ("ETag", \WebRequest.Answer.entityTag), ("Last-Modified", \.lastModified),
    ] {
      guard let old = opened[keyPath: field], let new = answer[keyPath: field] else { continue }
      // Servers that share a name may have copied the file at different times.
      return old == new ? nil : "\(name) was \(old), now it is \(new)"
    }
    return nil
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
      guard let refusal = refusal(of: answer, to: range) else { return answer }
      // No answer, an answer cut off, an error of the server, or too many requests: each may pass.
      let isCut = answer.status == 206 && answer.count < (answer.contentRange?.bytes?.count ?? 0)
      let isPassing =
        answer.failure != nil || isCut || answer.status >= 500 || answer.status == 429
      guard isPassing, attempt < attempts else {
        throw CheckpointError(
          .system, refusal, path: url, offset: range.lowerBound == 0 ? nil : range.lowerBound)
      }
      usleep(UInt32(attempt) * 300_000)
      attempt += 1
    }
  }

  /// What is wrong with an answer; `nil` if it holds the bytes in `range`, or those up to the file's end.
  private static func refusal(of answer: WebRequest.Answer, to range: Range<Int>) -> String? {
    switch answer.status {
    case 0: return answer.failure ?? "the server sent no answer"
    case 206: break
    case 200: return "the server does not support range requests; download the file first"
    case 412: return "the file changed while it was read"
    case 416 where answer.contentRange?.total == 0: return "is empty"
    case 416: return "the server has no bytes in the requested range: the file has become shorter"
    default: return "the server answered with HTTP status \(answer.status)"
    }
    if let failure = answer.failure { return failure }
    if answer.isMultipart {
      return "expected one range of bytes, but the server sent several parts"
    }
    if let encoding = answer.encoding {
      return "expected the bytes of the file, but the server sent them packed (\(encoding))"
    }
    guard let sent = answer.contentRange?.bytes else {
      return "the server did not report which part of the file it sent"
    }
    // A total before the range's start makes no range of its own.
    let end = min(range.upperBound, answer.contentRange?.total ?? .max)
    guard sent.lowerBound == range.lowerBound, sent.upperBound == end else {
      return
        "expected bytes \(range.lowerBound) to \(range.upperBound - 1), but the server sent bytes "
        + "\(sent.lowerBound) to \(sent.upperBound - 1)"
    }
    if answer.isTooLong { return "the server sent more bytes than requested" }
    guard answer.count == sent.count else {
      return "expected \(sent.count) bytes, but the server sent \(answer.count)"
    }
    return nil
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
