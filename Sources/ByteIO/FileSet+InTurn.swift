import CLinux
import Glibc
import TensorCore

/// Files that take their names one after the other, where no index can name others meanwhile.
extension FileSet {
  /// Gives the files their names, the main one last, which is set aside first: until it is back no reader finds a
  /// checkpoint there, so none takes old and new files for one.
  ///
  /// If that fails, the old files get their names back. After a kill or a power cut in between, hidden files that
  /// end in `.ckpt-old-` and 16 digits remain: the old ones, which can be renamed by hand.
  ///
  /// - Parameters:
  ///   - main: name of the file that readers open first; it may be one of the set, or stay as it is.
  ///   - content: new content for it, if it is not one of the set.
  /// - Throws: ``CheckpointError`` `system` when the system refuses; the old files are as they were.
  func takeTurns(main: String, content: [UInt8]? = nil) throws(CheckpointError) {
    var files = members.filter { $0.name != main }
    if let content {
      files.append(try made(main, content, replacing: replacing))
    } else {
      files += members.filter { $0.name == main }
    }
    if let only = files.first, files.count == 1 {
      return try only.target.replace(with: only.file, replacing: replacing)
    }
    var undo = Undo()
    var old: [String] = []
    do throws(CheckpointError) {
      let target = try ReplacedFile(path: prefix + main, replacing: true)
      let aside = try target.setAside(&undo)
      try sync(main)
      for file in files where file.name != main {
        old += [try file.target.setAside(&undo)].compactMap { $0 }
      }
      // The old files have their hidden names on the disk before anything takes their places.
      try sync(main)
      for file in files where file.name != main {
        try file.file.take(file.target.path)
        undo.remove(file.target.path)
      }
      try sync(main)
      if let last = files.last, last.name == main {
        try last.file.take(last.target.path)
        undo.remove(last.target.path)
        old += [aside].compactMap { $0 }
      } else if let aside {
        try target.putBack(aside)
      }
    } catch {
      throw undo.run(after: error)
    }
    do throws(CheckpointError) {
      try sync(main)
    } catch {
      let kept =
        old.isEmpty ? "" : "; the old ones keep hidden names that end in .ckpt-old- and 16 digits"
      throw error.telling("the new files are complete, but may not survive a power cut" + kept)
    }
    for path in old { unsafe unlink(path.systemPath) }
  }

  /// Makes the names durable, in each directory that a link among them leads to; errors show `name`.
  func sync(_ name: String) throws(CheckpointError) {
    var known: Set<String> = []
    for path in [prefix] + members.map(\.target.path)
    where known.insert(Place.divided(path).folder).inserted {
      try OpenFolder(of: path, shownAs: prefix + name).sync()
    }
  }
}

/// What puts the old names back, the last first.
struct Undo {
  private enum Step {
    case remove(String)
    case rename(String, to: String)
  }
  private var steps: [Step] = []

  mutating func remove(_ path: String) { steps.append(.remove(path)) }
  mutating func rename(_ path: String, to other: String) {
    steps.append(.rename(path, to: other))
  }

  /// Does it, and returns the error to throw: the one that was the reason, and what could not be put back.
  func run(after error: CheckpointError) -> CheckpointError {
    var failed: [String] = []
    for step in steps.reversed() {
      switch step {
      case .remove(let path): unsafe unlink(path.systemPath)
      case .rename(let path, let other):
        if unsafe Glibc.rename(path.systemPath, other.systemPath) != 0 { failed.append(path) }
      }
    }
    guard let first = failed.first else { return error }
    let more = failed.count > 1 ? " and \((failed.count - 1).pluralized("more file"))" : ""
    return error.telling("'\(first)'\(more) could not be renamed back")
  }
}

extension CheckpointError {
  /// The same error with what else there is to say about the files.
  func telling(_ more: String) -> CheckpointError {
    var told = CheckpointError(
      code, "\(message); \(more)", path: path, tensor: tensor, offset: offset)
    told.systemNumber = systemNumber
    return told
  }
}

extension ReplacedFile {
  /// Renames the old file to a hidden name, if there is one; returns that name.
  fileprivate func setAside(_ undo: inout Undo) throws(CheckpointError) -> String? {
    guard isThere else { return nil }
    let path = path
    let name = try TemporaryNames.make(
      besides: path, "rename", shownAs: given, named: TemporaryNames.old(besides:)
    ) {
      let (old, new) = (path.systemPath, $0.systemPath)
      let answer = unsafe renameat2(AT_FDCWD, old, AT_FDCWD, new, UInt32(RENAME_NOREPLACE))
      guard answer != 0, errno == EINVAL || errno == ENOSYS else { return answer }
      // A file system that cannot do that: nothing has the random name, or another is tried.
      var record = stat()
      if unsafe lstat(new, &record) == 0 {
        errno = EEXIST
        return -1
      }
      return unsafe Glibc.rename(old, new)
    }
    // It is the old file: nothing may remove it.
    TemporaryNames.keep(name)
    undo.rename(name, to: path)
    return name
  }

  /// Gives the old file its name back.
  fileprivate func putBack(_ name: String) throws(CheckpointError) {
    _ = try systemCall("rename", path: given) { unsafe rename(name.systemPath, path.systemPath) }
  }
}
