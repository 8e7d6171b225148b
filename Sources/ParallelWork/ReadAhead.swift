package import TensorCore

/// Reads ahead while a thread reads many small tensors one after another, so that one call of the system serves many
/// of them.
///
/// A read that does not follow the last one is made as it is, and more is read the longer reads follow each other.
package final class ReadAhead: @unchecked Sendable {  // one thread uses it
  /// That of this thread, if it reads many tensors.
  @TaskLocal package static var current: ReadAhead?
  /// Bytes of the largest read that is worth it.
  package static let mostBytes = 16 << 10

  private static let pool = Pool(capacity: 64) { ReadAhead() }
  /// Bytes between two reads that count as following each other: headers and padding.
  private static let gap = 4 << 10
  private static let sizes = 16 << 10...256 << 10

  /// Whose bytes these are; it is held, since another object could get its address.
  private var file: AnyObject?
  private var window = 0..<0
  private var end = 0
  private var size = sizes.lowerBound
  private var buffer = ChunkBuffer(capacity: sizes.upperBound)

  /// Lets `body` read this many tensors.
  package static func during<Result>(
    _ tensors: Int, _ body: () throws -> Result
  ) rethrows -> Result {
    if tensors < 3 { return try body() }
    let item = pool.acquire()
    defer {
      item.value.forget()
      pool.release(item)
    }
    return try $current.withValue(item.value, operation: body)
  }

  private func forget() { (file, window, end, size) = (nil, 0..<0, 0, Self.sizes.lowerBound) }

  /// Reads a few bytes of a file of `count` bytes; `read` reads any of them, those asked for or others ahead of
  /// them.
  ///
  /// - Throws: what `read` throws for the bytes that are asked for; what it throws for others is of no account.
  package func read(
    at offset: Int, into target: inout MutableRawSpan, of file: AnyObject, count: Int,
    by read: (
      _ offset: Int, _ target: inout MutableRawSpan, _ isAhead: Bool
    ) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    if self.file !== file {
      forget()
      self.file = file
    }
    let follows = end > 0 && offset >= end && offset - end <= Self.gap
    end = offset + target.byteCount
    if offset < window.lowerBound || end > window.upperBound {
      guard follows, fill(offset..<min(offset + size, count), by: read), end <= window.upperBound
      else {
        if !follows { size = Self.sizes.lowerBound }
        return try read(offset, &target, false)
      }
      size = min(2 * size, Self.sizes.upperBound)
    }
    let start = offset - window.lowerBound
    buffer.lend(window.count) { bytes in
      target.copyBytes(from: bytes.extracting(start..<start + target.byteCount))
    }
  }

  /// Whether these bytes can be read, which are then in the window.
  private func fill(
    _ range: Range<Int>,
    by read: (
      _ offset: Int, _ target: inout MutableRawSpan, _ isAhead: Bool
    ) throws(CheckpointError) -> Void
  ) -> Bool {
    window = 0..<0
    do throws(CheckpointError) {
      try buffer.fill(range.count) { target throws(CheckpointError) in
        try read(range.lowerBound, &target, true)
      }
    } catch {
      return false
    }
    window = range
    return true
  }
}
