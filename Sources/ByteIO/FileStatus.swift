import Glibc
import TensorCore

/// What stands at a path, as far as opening or replacing it goes.
struct FileStatus {
  /// The system's record.
  let record: stat

  /// Looks at a path; `nil` when nothing is there.
  init?(path: String, followingLinks: Bool) throws(CheckpointError) {
    var record = stat()
    do throws(CheckpointError) {
      _ = try systemCall(nil, path: path) { () -> Int32 in
        followingLinks ? unsafe stat(path, &record) : unsafe lstat(path, &record)
      }
    } catch {
      if errno == ENOENT { return nil }
      throw error
    }
    self.record = record
  }

  /// Looks at an open file.
  init(descriptor: Int32, path: String) throws(CheckpointError) {
    var record = stat()
    _ = try systemCall("status", path: path) { unsafe fstat(descriptor, &record) }
    self.record = record
  }

  var isRegular: Bool { record.st_mode & S_IFMT == S_IFREG }
  var isFolder: Bool { record.st_mode & S_IFMT == S_IFDIR }
  var isLink: Bool { record.st_mode & S_IFMT == S_IFLNK }

  /// The size in bytes.
  var size: Int { record.st_size }

  /// What changes when another file takes the path, or this one is written: see `ByteSource`.
  var entityTag: String {
    "\(record.st_dev)-\(record.st_ino)-\(size)-\(record.st_mtim.tv_sec).\(record.st_mtim.tv_nsec)"
  }

  /// The permission bits, set-user-id and its like included.
  var permissions: mode_t { record.st_mode & 0o7777 }

  /// What it is, in a word.
  var kind: String {
    switch record.st_mode & S_IFMT {
    case S_IFREG: "a regular file"
    case S_IFDIR: "a directory"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    case S_IFLNK: "a symbolic link"
    default: "no regular file"
    }
  }
}
