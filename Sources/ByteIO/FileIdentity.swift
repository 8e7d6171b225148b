import Glibc
import TensorCore

/// What shows that the content of an open file is still what it was: device, inode, size, and times.
///
/// An open file keeps its content when it is replaced, renamed, or removed, or gets another link, owner, or other
/// permissions. No program can set the time of the last status change; when only that has changed, and none of
/// those is the reason, someone has set back the time of the last change of the content, or has changed an
/// extended attribute: which one cannot be told. Not noticed are a write that had begun before the file was opened
/// and, before Linux 6.13, one in the same tick of the clock (at most 10 ms) as the one before it.
struct FileIdentity: Equatable, Sendable {
  let device: UInt
  let inode: UInt
  private let size: Int
  private let modified: Time
  private let changed: Time
  /// What else the time of the last status change is the time of.
  private let others: [UInt]

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
    others = [
      UInt(record.st_nlink), UInt(record.st_mode), UInt(record.st_uid), UInt(record.st_gid),
    ]
  }

  /// Refuses a file whose content is no longer as it was.
  ///
  /// - Throws: ``CheckpointError`` `system`.
  func confirm(_ now: FileIdentity, path: String) throws(CheckpointError) {
    if self == now { return }
    var subject = "the file"
    if size == now.size, modified == now.modified {
      subject += " or its attributes"
      if others != now.others { return }
      // A renamed file is no longer at its path.
      guard let there = try? FileStatus(path: path, followingLinks: true),
        (there.identity.device, there.identity.inode) == (device, inode)
      else { return }
    }
    throw CheckpointError(
      .system, "\(subject) changed while it was read; run the command again", path: path)
  }
}
