import CLinux
import Glibc
import Synchronization
import TensorCore

/// A file that is being made and has no name yet; where the file system has no files without names,
/// it has a random one, which goes when the file is released.
final class NewFile: Sendable {
  /// The open file, for reading and writing.
  let descriptor: Int32
  /// What errors call it.
  let shownName: String
  /// The random name that it has, if any.
  let temporaryPath: String?
  /// What was written and is not yet on its way to the device: where it is, and how many bytes.
  private let waiting = Mutex<(range: Range<Int>, count: Int)>((0..<0, 0))

  /// How many bytes are sent to the device at once.
  private static let writebackSize = 8 << 20
  /// Most bytes that the system is asked to copy at once, so that signals are not kept waiting.
  private static let copySize = 64 << 20
  /// The answers of a system that cannot copy between these two files, though it can read and write.
  private static let cannotCopy: [Int32] = [EINVAL, ENOSYS, EXDEV, EOPNOTSUPP, EBADF, EPERM]
  /// `O_TMPFILE` of <fcntl.h>, which glibc shows only under _GNU_SOURCE.
  private static let unnamedFlag = 0o20000000 | O_DIRECTORY

  /// Makes a file in the directory of `path`, with the permissions `mode` less those that the
  /// process withholds from new files: who may not read the old file cannot read the new one either.
  init(
    for path: String, mode: mode_t, shownAs shownName: String, isUnnamed: Bool
  ) throws(CheckpointError) {
    self.shownName = shownName
    let directory = Place.divided(path).folder
    if isUnnamed, let descriptor = Self.unnamed(in: directory.isEmpty ? "." : directory, mode) {
      (self.descriptor, temporaryPath) = (descriptor, nil)
      return
    }
    let (path, descriptor) = try Self.named(like: path, mode, shownAs: shownName)
    (self.descriptor, temporaryPath) = (descriptor, path)
  }

  /// Makes a file that never gets a name, for this user's eyes only.
  init(temporaryIn folder: String, shownAs shownName: String) throws(CheckpointError) {
    self.shownName = shownName
    temporaryPath = nil
    if let descriptor = Self.unnamed(in: folder, 0o600) {
      self.descriptor = descriptor
      return
    }
    let (path, descriptor) = try Self.named(like: folder + "/ckpt", 0o600, shownAs: shownName)
    TemporaryNames.remove(path)
    self.descriptor = descriptor
  }

  /// A file that exists and is written further; its name stays.
  init(opened descriptor: Int32, shownAs shownName: String) {
    (self.descriptor, self.shownName, temporaryPath) = (descriptor, shownName, nil)
  }

  /// A file that another rank has made, with the name that it has until it gets another.
  init(opened descriptor: Int32, shownAs shownName: String, temporaryPath: String) {
    (self.descriptor, self.shownName) = (descriptor, shownName)
    self.temporaryPath = temporaryPath
    TemporaryNames.adopt(temporaryPath)
  }

  /// Opens a file without a name; `nil` where that, or giving it one later, cannot be done.
  private static func unnamed(in directory: String, _ mode: mode_t) -> Int32? {
    let descriptor = unsafe open(
      directory.systemPath, unnamedFlag | O_RDWR | O_CLOEXEC, mode)
    if descriptor == -1 { return nil }
    if unsafe access(path(of: descriptor), R_OK | W_OK) == 0 { return descriptor }
    close(descriptor)
    return nil
  }

  private static func named(
    like path: String, _ mode: mode_t, shownAs shownName: String
  ) throws(CheckpointError) -> (path: String, descriptor: Int32) {
    var descriptor: Int32 = -1
    let path = try TemporaryNames.make(besides: path, "create", shownAs: shownName) { name in
      descriptor = unsafe open(
        name.systemPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
      return descriptor
    }
    return (path, descriptor)
  }

  deinit {
    close(descriptor)
    if let temporaryPath { TemporaryNames.remove(temporaryPath) }
  }

  private static func path(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

  /// Where this process can open the file once more, whatever its name.
  var descriptorPath: String { Self.path(of: descriptor) }

  /// Writes all of `bytes` from byte `offset` on, from any task.
  func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try writeAll(bytes, to: descriptor, at: offset, path: shownName)
    noteWritten(offset..<offset + bytes.byteCount)
  }

  /// Has the system copy bytes of another file to byte `offset`; returns how many it copied, fewer
  /// than asked for where it cannot copy (between some file systems) or the other file ends.
  func copy(
    _ range: Range<Int>, of source: LocalFile, to offset: Int
  ) throws(CheckpointError) -> Int {
    var (from, to) = (Int64(range.lowerBound), Int64(offset))
    while from < range.upperBound {
      let start = Int(to)
      let count = min(range.upperBound - Int(from), Self.copySize)
      let answer = unsafe copy_file_range(source.descriptor, &from, descriptor, &to, UInt(count), 0)
      if answer > 0 {
        noteWritten(start..<start + answer)
        continue
      }
      let number = answer == 0 ? EINVAL : errno
      if number == EINTR { continue }
      guard Self.cannotCopy.contains(number) else {
        throw .system(number, "write", path: shownName, offset: start)
      }
      break
    }
    return Int(from) - range.lowerBound
  }

  /// Notes that bytes were written, and sends them on their way to the device in large pieces.
  private func noteWritten(_ range: Range<Int>) {
    // The range grows over gaps as well. It only hints at what to write back, so that does no harm.
    let departing = waiting.withLock { waiting -> Range<Int>? in
      waiting.range =
        waiting.count == 0
        ? range
        : min(
          waiting.range.lowerBound, range.lowerBound)..<max(
            waiting.range.upperBound, range.upperBound)
      waiting.count += range.count
      if waiting.count < Self.writebackSize { return nil }
      waiting.count = 0
      return waiting.range
    }
    if let departing {
      beginWriteback(descriptor, at: departing.lowerBound, count: departing.count)
    }
  }

  /// Gives the file its name, where nothing may be.
  func take(_ path: String) throws(CheckpointError) {
    var number: Int32 = 0
    if let temporaryPath {
      let (old, new) = (temporaryPath.systemPath, path.systemPath)
      if unsafe renameat2(AT_FDCWD, old, AT_FDCWD, new, UInt32(RENAME_NOREPLACE)) == 0 { return }
      number = errno
      // A file system that cannot do that: a link never replaces, and the old name goes later.
      if number == EINVAL || number == ENOSYS {
        if link(to: path) == 0 { return }
        number = errno
      }
    } else {
      if link(to: path) == 0 { return }
      number = errno
    }
    throw number == EEXIST
      ? ReplacedFile.exists(shownName) : .system(number, "rename", path: shownName)
  }

  /// Gives the file a name that another file may have, which then loses it; other names that it has stay.
  func takeOver(_ path: String, keepingNames: Bool = false) throws(CheckpointError) {
    let name =
      if let temporaryPath, !keepingNames { temporaryPath } else {
        try TemporaryNames.make(besides: path, "link", shownAs: shownName) { link(to: $0) }
      }
    defer { TemporaryNames.remove(name) }
    _ = try systemCall("rename", path: shownName) {
      unsafe rename(name.systemPath, path.systemPath)
    }
  }

  /// Gives the file one more name, where nothing may be; -1 and `errno` if that fails.
  func link(to path: String) -> Int32 {
    guard let temporaryPath else {
      return unsafe linkat(AT_FDCWD, descriptorPath, AT_FDCWD, path.systemPath, AT_SYMLINK_FOLLOW)
    }
    return unsafe Glibc.link(temporaryPath.systemPath, path.systemPath)
  }
}
