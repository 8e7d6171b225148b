import Glibc
import Synchronization
package import TensorCore

/// A file that a library makes, into which bytes are put past it, from any number of tasks at once.
package final class PlacedOutput: Sendable {
  private let path: String
  private let descriptor: Int32
  private let isOpen = Atomic(true)

  /// What was written and is not yet on its way to the device: where it lies, and how many bytes.
  private let waiting = Mutex<(range: Range<Int>, count: Int)>((0..<0, 0))

  /// Opens a file that is there.
  ///
  /// - Throws: ``CheckpointError`` with the system's words.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try systemCall("open", path: path) { unsafe open(path, O_WRONLY | O_CLOEXEC) }
  }

  deinit {
    if isOpen.load(ordering: .relaxed) { Glibc.close(descriptor) }
  }

  /// Closes the file and reports what the system had kept back until then; nobody may write any more.
  package func close() throws(CheckpointError) {
    isOpen.store(false, ordering: .relaxed)
    try closeReporting(descriptor, path: path)
  }

  /// Writes all of `bytes` from byte `place` of the file on.
  ///
  /// - Throws: ``CheckpointError`` with the system's words and the place.
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

/// Writes all of `bytes` at a place of an open file.
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

/// Closes a file that was written.
func closeReporting(_ descriptor: Int32, path: String) throws(CheckpointError) {
  // On Linux the descriptor is free even when a signal interrupts: never close it twice.
  if Glibc.close(descriptor) == -1, errno != EINTR { throw .system(errno, "close", path: path) }
}
