import Glibc
import Ranks
import TensorCore

/// Files that several ranks write together.
extension ByteSink {
  /// As ``local(_:replacing:isUnnamed:)``, for ranks that share a file system; every rank calls this.
  ///
  /// The first makes the new file, which has a random name, since the others must find it, and gives
  /// it the target's name when all have synced what they wrote. An error on any rank is one on all.
  static func shared(
    _ path: String, replacing: Bool, ranks: Ranks
  ) throws(CheckpointError) -> ByteSink {
    let (target, file) = try NewFile.shared(path, replacing: replacing, ranks: ranks)
    return ByteSink(file, name: path, ranks: ranks) { () throws(CheckpointError) in
      try file.sync(by: ranks)
      try ranks.agree("rename \(path)") {
        try target?.replace(with: file, replacing: replacing)
        return []
      }
    }
  }
}

extension NewFile {
  /// A new file for all ranks, which the first makes and the others open; its target on the first.
  static func shared(
    _ path: String, replacing: Bool, ranks: Ranks
  ) throws(CheckpointError) -> (target: ReplacedFile?, file: NewFile) {
    var made: (target: ReplacedFile, file: NewFile)?
    let parts = try ranks.agree("create \(path)") {
      // What is wrong with the target is seen by all.
      let target = try ReplacedFile(path: path, replacing: replacing)
      guard ranks.isFirst else { return [] }
      let file = try NewFile(
        for: target.path, mode: target.creationMode, shownAs: path, isUnnamed: false)
      made = (target, file)
      var record = RecordWriter()
      record.add(file.temporaryPath ?? "")
      record.add(try file.inode())
      return record.bytes
    }
    var file = made?.file
    try ranks.agree("open \(path)") {
      guard file == nil else { return [] }
      var record = RecordReader(parts[0])
      file = try NewFile(
        made: record.text(), inode: record.integer(UInt64.self), shownAs: path)
      return []
    }
    guard let file else { preconditionFailure("a file that no rank has made") }
    return (made?.target, file)
  }

  /// Makes what all ranks have written durable: each machine has written in its own memory first.
  func sync(by ranks: Ranks) throws(CheckpointError) {
    try ranks.agree("sync \(shownName)") {
      _ = try systemCall("sync", path: shownName) { fdatasync(descriptor) }
      return []
    }
  }

  /// The number by which the file system knows the file, on every machine.
  fileprivate func inode() throws(CheckpointError) -> UInt64 {
    UInt64(try FileStatus(descriptor: descriptor, path: temporaryPath ?? "").record.st_ino)
  }

  /// Opens a file that another rank has made, for writing.
  fileprivate convenience init(
    made path: String, inode: UInt64, shownAs shownName: String
  ) throws(CheckpointError) {
    let descriptor = unsafe open(path.systemPath, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
    if descriptor == -1, errno != ENOENT { throw .system(errno, "open", path: shownName) }
    if descriptor >= 0 {
      // The name is removed by whichever rank ends first, however it ends.
      self.init(opened: descriptor, shownAs: shownName, temporaryPath: path)
      if try self.inode() == inode { return }
    }
    throw CheckpointError(
      .system,
      "expected a file system that all ranks share, but the file that rank 0 made is not here",
      path: shownName)
  }
}
