import Glibc
import TensorCore

/// The status of a file, as far as opening or replacing it needs.
struct FileStatus {
  /// The system's record.
  let record: stat

  /// Reads the status of a path; `nil` if nothing exists there.
  init?(path: String, followingLinks: Bool) throws(CheckpointError) {
    var record = stat()
    let bytes = path.systemPath
    do throws(CheckpointError) {
      _ = try systemCall(nil, path: path) { () -> Int32 in
        followingLinks ? unsafe stat(bytes, &record) : unsafe lstat(bytes, &record)
      }
    } catch {
      if error.systemNumber == ENOENT { return nil }
      throw error
    }
    self.record = record
  }

  /// Reads the status of an open file.
  init(descriptor: Int32, path: String) throws(CheckpointError) {
    var record = stat()
    _ = try systemCall("status", path: path) { unsafe fstat(descriptor, &record) }
    self.record = record
  }

  var isRegular: Bool { record.st_mode & S_IFMT == S_IFREG }
  var isFolder: Bool { record.st_mode & S_IFMT == S_IFDIR }
  var isPipe: Bool { record.st_mode & S_IFMT == S_IFIFO }
  var isLink: Bool { record.st_mode & S_IFMT == S_IFLNK }

  /// The size in bytes.
  var size: Int { record.st_size }

  /// What changes when another file takes the path, or this one is written: see `ByteSource`.
  var entityTag: String {
    "\(record.st_dev)-\(record.st_ino)-\(size)-\(record.st_mtim.tv_sec).\(record.st_mtim.tv_nsec)"
  }

  /// What shows later whether the file is still the same and unchanged.
  var identity: FileIdentity { FileIdentity(self) }

  /// The permission bits, including set-user-ID, set-group-ID, and sticky.
  var permissions: mode_t { record.st_mode & 0o7777 }

  /// The kind of file, for messages.
  var kind: String {
    switch record.st_mode & S_IFMT {
    case S_IFREG: "a regular file"
    case S_IFDIR: "a directory"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    case S_IFLNK: "a symbolic link"
    default: "a special file"
    }
  }
}
