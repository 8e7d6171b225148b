import Glibc
import Synchronization
package import TensorCore

/// A file that a library creates, and into which any number of tasks write directly, bypassing the
/// library.
package final class PlacedOutput: Sendable {
  private let path: String
  private let descriptor: Int32
  private let isOpen = Atomic(true)

  /// The range and number of bytes written for which writeback has not been started yet.
  private let waiting = Mutex<(range: Range<Int>, count: Int)>((0..<0, 0))

  /// Opens an existing file for writing.
  ///
  /// - Throws: ``CheckpointError`` `system` with the system's message.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try systemCall("open", path: path) { unsafe open(path, O_WRONLY | O_CLOEXEC) }
  }

  deinit {
    if isOpen.load(ordering: .relaxed) { Glibc.close(descriptor) }
  }

  /// Closes the file and reports any write error that the system has delayed until now; no further
  /// writes are allowed.
  package func close() throws(CheckpointError) {
    isOpen.store(false, ordering: .relaxed)
    try closeReporting(descriptor, path: path)
  }

  /// Writes all of `bytes` from byte `place` of the file on.
  ///
  /// - Throws: ``CheckpointError`` `system` with the system's message and the offset.
  package func write(_ bytes: RawSpan, at place: Int) throws(CheckpointError) {
    try pwriteAll(descriptor, bytes, at: place, path: path)
    let departing = waiting.withLock { waiting -> Range<Int>? in
      let end = place + bytes.byteCount
      waiting.range =
        waiting.count == 0
        ? place..<end : min(waiting.range.lowerBound, place)..<max(waiting.range.upperBound, end)
      waiting.count += bytes.byteCount
      if waiting.count < OutputFile.writebackSize { return nil }
      waiting.count = 0
      return waiting.range
    }
    if let departing {
      beginWriteback(descriptor, at: departing.lowerBound, count: departing.count)
    }
  }
}

/// Writes all of `bytes` at an offset of an open file.
func pwriteAll(
  _ descriptor: Int32, _ bytes: RawSpan, at place: Int, path: String
) throws(CheckpointError) {
  var done = 0
  while done < bytes.byteCount {
    done += try systemCall("write", path: path, offset: place + done) {
      unsafe bytes.withUnsafeBytes { source in
        unsafe pwrite(
          descriptor, source.baseAddress.map { unsafe $0 + done }, source.count - done,
          place + done)
      }
    }
  }
}

/// Closes a file that has been written, reporting errors.
func closeReporting(_ descriptor: Int32, path: String) throws(CheckpointError) {
  // On Linux the descriptor is freed even if a signal interrupts the call: never close it twice.
  if Glibc.close(descriptor) == -1, errno != EINTR { throw .system(errno, "close", path: path) }
}
