import Glibc
import Ranks
import Synchronization
package import TensorCore

/// A file of this machine to whose end bytes are added, by one process at a time.
///
/// What it held stays as it is, so that others may read it meanwhile. What was added since the last
/// ``confirm(_:)`` is taken away again when the file is released.
package final class GrowingFile: Sendable {
  /// What the file held when it was opened.
  package let source: ByteSource
  private let file: NewFile
  private let name: String
  /// Up to where the file stays, once something was written.
  private let kept = Mutex<Int?>(nil)

  private let ranks: Ranks

  /// Opens a file and locks it, for all ranks of the running task.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses, the path is not that of a regular file,
  ///   or another process adds to it.
  package init(_ path: String) throws(CheckpointError) {
    let ranks = Ranks.current
    var opened: (file: NewFile, reader: LocalFile)?
    // The first locks it before another looks at its size.
    for turn in ranks.size > 1 ? [true, false] : [true] {
      try ranks.agree("add to \(path)") {
        if ranks.isFirst == turn { opened = try Self.opened(path, isLocked: turn) }
        return []
      }
    }
    guard let (file, reader) = opened else { preconditionFailure("a file that nobody opened") }
    (name, self.file, self.ranks) = (path, file, ranks)
    source = ByteSource(
      reader, try FileStatus(descriptor: reader.descriptor, path: path), name: path)
  }

  private static func opened(
    _ path: String, isLocked: Bool
  ) throws(CheckpointError) -> (file: NewFile, reader: LocalFile) {
    let file = NewFile(
      opened: try systemCall(nil, path: path) {
        unsafe open(path.systemPath, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
      }, shownAs: path)
    let status = try FileStatus(descriptor: file.descriptor, path: path)
    guard status.isRegular else {
      throw CheckpointError(
        .system, "expected a regular file, found \(status.kind)", path: path)
    }
    if isLocked, flock(file.descriptor, LOCK_EX | LOCK_NB) == -1 {
      if errno == EWOULDBLOCK {
        throw CheckpointError(.system, "another process is adding to it; try again", path: path)
      }
      throw .system(errno, "lock", path: path)
    }
    let reader = LocalFile(
      descriptor: try systemCall("open", path: path) {
        unsafe open("/proc/self/fd/\(file.descriptor)", O_RDONLY | O_CLOEXEC)
      })
    return (file, reader)
  }

  deinit {
    if let end = kept.withLock({ $0 }) { _ = ftruncate(file.descriptor, end) }
  }

  /// Takes away what follows byte `end`, and returns a sink that adds there.
  package func sink(from end: Int) throws(CheckpointError) -> ByteSink {
    let (open, path, ranks) = (file, name, ranks)
    try ranks.agree("truncate \(path)") {
      if ranks.isFirst {
        _ = try systemCall("truncate", path: path) { ftruncate(open.descriptor, end) }
        kept.withLock { $0 = $0 ?? end }
      }
      return []
    }
    return ByteSink(open, name: path, position: end, ranks: ranks) { () throws(CheckpointError) in
      try ranks.agree("sync \(path)") {
        _ = try systemCall("sync", path: path) { fsync(open.descriptor) }
        return []
      }
    }
  }

  /// Keeps what was written up to byte `end` for good.
  ///
  /// - Throws: ``CheckpointError`` `system` when another file has taken the path meanwhile.
  package func confirm(_ end: Int) throws(CheckpointError) {
    try ranks.agree("finish \(name)") {
      guard ranks.isFirst else { return [] }
      let own = try FileStatus(descriptor: file.descriptor, path: name)
      let there = try FileStatus(path: name, followingLinks: true)
      guard there?.identity.key == own.identity.key else {
        throw CheckpointError(
          .system, "was replaced or removed by another process, so nothing was added to it",
          path: name)
      }
      kept.withLock { $0 = end }
      return []
    }
  }
}
