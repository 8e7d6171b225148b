import Glibc
import TensorCore

/// What shows that an open file is still what it was when it was opened: device, inode, size, and the times of the last
/// change of its content and of its status.
///
/// No program can set the time of the last status change, so a file whose other times were restored after a
/// change is noticed as well. That time also changes when the file is replaced, renamed, removed, or gets other permissions.
/// Not noticed are a write that had begun before the file was opened and, before Linux 6.13, one in the same
/// tick of the clock (at most 10 ms) as the one before it.
struct FileIdentity: Equatable, Sendable {
  let device: UInt
  let inode: UInt
  private let size: Int
  private let modified: Time
  private let changed: Time
  private let linkCount: UInt

  /// A time of the file system.
  private struct Time: Equatable {
    let seconds: Int
    let nanoseconds: Int

    init(_ time: timespec) { (seconds, nanoseconds) = (time.tv_sec, time.tv_nsec) }
  }

  /// Takes it from a status.
  init(_ status: FileStatus) {
    let record = status.record
    (device, inode, size) = (UInt(record.st_dev), UInt(record.st_ino), status.size)
    (modified, changed) = (Time(record.st_mtim), Time(record.st_ctim))
    linkCount = UInt(record.st_nlink)
  }

  /// Refuses a file that is no longer as it was.
  ///
  /// - Throws: ``CheckpointError`` `system` that says what happened to it.
  func confirm(_ now: FileIdentity, path: String) throws(CheckpointError) {
    if self == now { return }
    let what =
      if size != now.size || modified != now.modified {
        "the file changed while it was read"
      } else if now.linkCount == 0 {
        "the file was replaced or removed while it was read"
      } else {
        "the file was renamed, or its links or permissions changed, while it was read"
      }
    throw CheckpointError(.system, "\(what); run the command again", path: path)
  }
}
