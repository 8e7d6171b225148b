import Glibc
import ParallelWork
import Synchronization
package import TensorCore

/// Files of this machine as sources.
extension ByteSource {
  /// Opens a local regular file; `nil` if the path leads to a folder.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses, or when the path leads to
  ///   anything else; a pipe without a writer is refused immediately.
  static func local(_ path: String) throws(CheckpointError) -> ByteSource? {
    // O_NONBLOCK: opening a pipe would wait for its writer.
    let descriptor = try systemCall(nil, path: path) {
      unsafe open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    }
    let status: FileStatus
    do throws(CheckpointError) {
      status = try FileStatus(descriptor: descriptor, path: path)
      if !status.isFolder, !status.isRegular {
        throw CheckpointError(
          .system, "expected a regular file, found \(status.kind)", path: path)
      }
    } catch {
      close(descriptor)
      throw error
    }
    if status.isFolder {
      close(descriptor)
      return nil
    }
    return ByteSource(
      LocalFile(descriptor: descriptor, opened: status.identity), status, name: path)
  }

  /// Creates a source from the descriptor of an open regular file, which may have no name any more.
  convenience init(_ file: LocalFile, _ status: FileStatus, name: String) {
    let size = status.size
    self.init(
      name: name, size: size, entityTag: status.entityTag, local: (file, 0)
    ) { offset, target throws(CheckpointError) in
      if target.byteCount <= ReadAhead.mostBytes, file.isForeign, let ahead = ReadAhead.current {
        return try ahead.read(at: offset, into: &target, of: file, count: size) {
          offset, target, isAhead throws(CheckpointError) in
          try file.read(at: offset, into: &target, name: name, size: size, remembers: !isAhead)
          try file.confirmUnchanged(name)
        }
      }
      try file.read(at: offset, into: &target, name: name, size: size)
      try file.confirmUnchanged(name)
    }
  }

  /// The same file, which others may change meanwhile: for readers that verify all that they read, as
  /// those of a pack to which checkpoints are added.
  package var unguarded: ByteSource {
    guard let (file, start) = local, start == 0 else { return self }
    let (name, size) = (name, size)
    return ByteSource(name: name, size: size, entityTag: entityTag) {
      offset, target throws(CheckpointError) in
      try file.read(at: offset, into: &target, name: name, size: size)
    }
  }

  /// Makes sure that a local file is as it was when it was opened; each read does that as well.
  ///
  /// - Throws: ``CheckpointError`` `system` that says what happened to it.
  package func confirmUnchanged() throws(CheckpointError) {
    try local?.file.confirmUnchanged(name)
  }

  /// Makes sure that a local file is unchanged and still at its path, so that other files belong to it.
  ///
  /// - Throws: as ``confirmUnchanged()``.
  package func confirmCurrent() throws(CheckpointError) {
    try confirmUnchanged()
    guard let local, local.start == 0, local.file.isForeign else { return }
    let own = try FileStatus(descriptor: local.file.descriptor, path: name)
    let there = try FileStatus(path: name, followingLinks: true)
    guard there?.identity.key == own.identity.key else {
      throw CheckpointError(
        .system, "the file was replaced or removed while it was read; run the command again",
        path: name)
    }
  }
}

/// The descriptor of an open file, closed with the last reader.
final class LocalFile: Sendable {
  let descriptor: Int32
  /// What the file was when it was opened; `nil` for one of this process, which may change it.
  private let opened: FileIdentity?
  /// Whether others may change it: it is not a file that this process has made for itself.
  var isForeign: Bool { opened != nil }
  private let hasFailed = Atomic(false)
  /// Whether an error of a read concerns no other: what can be read is to be saved.
  private let isRescued = Rescue.current != nil
  private let failure = Mutex<CheckpointError?>(nil)

  init(descriptor: Int32, opened: FileIdentity? = nil) {
    (self.descriptor, self.opened) = (descriptor, opened)
    if let opened { OpenFiles.add(opened) }
  }

  deinit {
    close(descriptor)
    if let opened { OpenFiles.remove(opened) }
  }

  /// Makes sure that the file is as it was when it was opened.
  func confirmUnchanged(_ name: String) throws(CheckpointError) {
    guard let opened else { return }
    try remembering { () throws(CheckpointError) in
      try opened.confirm(FileStatus(descriptor: descriptor, path: name).identity, path: name)
    }
  }

  /// Reads, unless a read has failed before: an error that a reader takes for the absence of something must not be
  /// forgotten, except while a damaged file is rescued.
  private func remembering(_ read: () throws(CheckpointError) -> Void) throws(CheckpointError) {
    if isRescued { return try read() }
    if hasFailed.load(ordering: .acquiring), let failure = failure.withLock({ $0 }) {
      throw failure
    }
    do throws(CheckpointError) {
      try read()
    } catch {
      failure.withLock { $0 = $0 ?? error }
      hasFailed.store(true, ordering: .releasing)
      throw error
    }
  }

  /// Fills `target` with the bytes starting at `offset` of a file that had `size` bytes when opened.
  ///
  /// Unless it `remembers`, an error concerns no other read, and none before concerns it.
  func read(
    at offset: Int, into target: inout MutableRawSpan, name: String, size: Int,
    remembers: Bool = true
  ) throws(CheckpointError) {
    let count = target.byteCount
    if !remembers {
      return try readAll(count, at: offset, into: &target, name: name, size: size)
    }
    try remembering { () throws(CheckpointError) in
      try readAll(count, at: offset, into: &target, name: name, size: size)
    }
  }

  private func readAll(
    _ count: Int, at offset: Int, into target: inout MutableRawSpan, name: String, size: Int
  ) throws(CheckpointError) {
    var done = 0
    while done < count {
      let answer = try systemCall("read", path: name, offset: offset + done) {
        unsafe target.withUnsafeMutableBytes { bytes in
          unsafe pread(
            descriptor, bytes.baseAddress.map { unsafe $0 + done }, count - done, offset + done)
        }
      }
      // `read` at the end of a file answers 0: somebody has shortened it since it was opened.
      guard answer > 0 else {
        throw CheckpointError(
          .system, "the file was \(size) bytes long when it was opened, but now ends here",
          path: name, offset: offset + done)
      }
      done += answer
    }
  }
}
