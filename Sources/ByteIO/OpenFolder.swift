import Glibc
import TensorCore

/// An open directory, in which names are made durable, or which one process at a time changes.
final class OpenFolder: Sendable {
  private let descriptor: Int32
  /// What errors call the file in it.
  private let shownName: String
  /// How long a process waits for another that gives files their names, in tries of 10 ms.
  private static let maxTries = 1000

  /// Opens the directory of a path.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses.
  init(of path: String, shownAs shownName: String) throws(CheckpointError) {
    let folder = Place.divided(path).folder
    self.shownName = shownName
    descriptor = try systemCall("open its directory", path: shownName) {
      unsafe open((folder.isEmpty ? "." : folder).systemPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
  }

  deinit { close(descriptor) }

  /// Makes the names in it durable.
  ///
  /// - Throws: ``CheckpointError`` `system` when the device refuses.
  func sync() throws(CheckpointError) {
    do throws(CheckpointError) {
      _ = try systemCall("sync its directory", path: shownName) { fsync(descriptor) }
    } catch {
      // Some network file systems cannot sync a directory.
      if error.systemNumber != EINVAL { throw error }
    }
  }

  /// Waits until no other process holds it, and holds it until this is released.
  ///
  /// Network file systems that lock no directories are left without a lock.
  /// - Throws: ``CheckpointError`` `system` when another process holds it for 10 seconds.
  func lock() throws(CheckpointError) {
    for _ in 0..<Self.maxTries {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
      if errno == EBADF || errno == ENOTSUP || errno == EINVAL || errno == ENOSYS { return }
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw .system(errno, "lock its directory", path: shownName)
      }
      usleep(10_000)
    }
    throw CheckpointError(
      .system, "another process is writing files in this directory; try again", path: shownName)
  }
}
