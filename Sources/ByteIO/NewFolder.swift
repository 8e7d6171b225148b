import CLinux
import Glibc
package import TensorCore

/// A folder in the making: it has a hidden name until all that belongs in it is there, and is gone if that fails.
package final class NewFolder: Sendable {
  private let path: String
  private let temporaryPath: String

  /// Makes a folder beside `path`; `nil` if something is there already, or the place is not on this machine.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses.
  package init?(_ path: String) throws(CheckpointError) {
    let path = path.hasSuffix("/") && path.utf8.count > 1 ? String(path.dropLast()) : path
    guard Place.hostStart(of: path) == nil, !Place.divided(path).name.isEmpty,
      try FileStatus(path: path, followingLinks: false) == nil
    else { return nil }
    self.path = path
    temporaryPath = try TemporaryNames.make(
      besides: path, "create directory", shownAs: path
    ) { unsafe mkdir($0.systemPath, 0o777) }
  }

  deinit { TemporaryNames.remove(temporaryPath) }

  /// Where the files go.
  package var place: Place { Place.locate(temporaryPath + "/").place }

  /// The path that a file in it will have.
  package func finalPath(of path: String) -> String {
    path.utf8.starts(with: temporaryPath.utf8)
      ? self.path + path[path.utf8.index(path.startIndex, offsetBy: temporaryPath.utf8.count)...]
      : path
  }

  /// Gives the folder its name.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses, or something has the name meanwhile.
  package func commit() throws(CheckpointError) {
    let parent = try OpenFolder(of: path, shownAs: path)
    let (old, new) = (temporaryPath.systemPath, path.systemPath)
    if unsafe renameat2(AT_FDCWD, old, AT_FDCWD, new, UInt32(RENAME_NOREPLACE)) != 0 {
      let number = errno
      // A file system that cannot do that: `rename` takes the place of an empty folder only.
      guard number == EINVAL || number == ENOSYS, unsafe rename(old, new) == 0 else {
        throw .system(number, "rename", path: path)
      }
    }
    TemporaryNames.keep(temporaryPath)
    try parent.sync()
  }
}
