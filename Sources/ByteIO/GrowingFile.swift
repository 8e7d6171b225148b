import Glibc
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

  /// Opens a file and locks it.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses, the path is not that of a regular file,
  ///   or another process adds to it.
  package init(_ path: String) throws(CheckpointError) {
    let file = NewFile(
      opened: try systemCall(nil, path: path) {
        unsafe open(path.systemPath, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
      }, shownAs: path)
    let status = try FileStatus(descriptor: file.descriptor, path: path)
    guard status.isRegular else {
      throw CheckpointError(
        .system, "expected a regular file, found \(status.kind)", path: path)
    }
    if flock(file.descriptor, LOCK_EX | LOCK_NB) == -1 {
      if errno == EWOULDBLOCK {
        throw CheckpointError(.system, "another process is adding to it; try again", path: path)
      }
      throw .system(errno, "lock", path: path)
    }
    let reader = LocalFile(
      descriptor: try systemCall("open", path: path) {
        unsafe open("/proc/self/fd/\(file.descriptor)", O_RDONLY | O_CLOEXEC)
      })
    (name, self.file) = (path, file)
    source = ByteSource(
      reader, try FileStatus(descriptor: reader.descriptor, path: path), name: path)
  }

  deinit {
    if let end = kept.withLock({ $0 }) { _ = ftruncate(file.descriptor, end) }
  }

  /// Takes away what follows byte `end`, and returns a sink that adds there.
  package func sink(from end: Int) throws(CheckpointError) -> ByteSink {
    _ = try systemCall("truncate", path: name) { ftruncate(file.descriptor, end) }
    kept.withLock { $0 = $0 ?? end }
    let (open, path) = (file, name)
    return ByteSink(open, name: path, position: end) { () throws(CheckpointError) in
      _ = try systemCall("sync", path: path) { fsync(open.descriptor) }
    }
  }

  /// Keeps what was written up to byte `end` for good.
  ///
  /// - Throws: ``CheckpointError`` `system` when another file has taken the path meanwhile.
  package func confirm(_ end: Int) throws(CheckpointError) {
    let own = try FileStatus(descriptor: file.descriptor, path: name)
    let there = try FileStatus(path: name, followingLinks: true)
    guard there?.identity.key == own.identity.key else {
      throw CheckpointError(
        .system, "was replaced or removed by another process, so nothing was added to it",
        path: name)
    }
    kept.withLock { $0 = end }
  }
}
