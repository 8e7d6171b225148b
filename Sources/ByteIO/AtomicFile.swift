import CLinux
import Glibc
import Synchronization
package import TensorCore

/// Replaces a file atomically: at every moment the path holds the old file or the whole new one.
///
/// The new file is created beside the target, synced, given the old one's permissions, owner, and
/// extended attributes, and renamed over it; then the directory is synced. A symbolic link stays, and
/// the file that it leads to is replaced. Other hard links keep the old content.
package enum AtomicFile {
  /// The process's temporary files that are being written.
  private static let temporaries = Mutex<(paths: [String], count: Int)>(([], 0))

  /// Lets `body` create a file at a temporary path, moves it to `path`, and returns what `body`
  /// returned.
  ///
  /// `overwrite` tells whether an existing file may be replaced. This is checked before the work and
  /// again after it: a file that was created meanwhile is kept.
  ///
  /// - Throws: ``CheckpointError`` before any work when the target is not a regular file or its
  ///   directory is not writable; the body's error; any error of the system. The temporary file is
  ///   then removed, and the old file is unchanged.
  package static func replace<Result>(
    _ path: String, overwrite: Bool, body: (_ temporaryPath: String) async throws -> Result
  ) async throws -> Result {
    let target = try Target(path: path, overwrite: overwrite)
    let temporary = reserveTemporary(besides: target.path)
    defer { release(temporary) }
    do {
      let result = try await body(temporary)
      try target.adopt(temporary, overwrite: overwrite)
      return result
    } catch {
      unsafe unlink(temporary)
      throw error
    }
  }

  /// Lets `body` use a file in the folder for temporary files (`TMPDIR`), and then removes it.
  package static func withTemporary<Result>(
    _ name: String, body: (_ temporaryPath: String) async throws -> Result
  ) async throws -> Result {
    let temporary = reserveTemporary(besides: "\(temporaryFolder)/\(name)")
    defer {
      unsafe unlink(temporary)
      release(temporary)
    }
    return try await body(temporary)
  }

  /// Lets `body` use a file in the folder for temporary files, and then removes its name.
  package static func withTemporary<Result, Failure: Error>(
    _ name: String, body: (_ temporaryPath: String) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let temporary = reserveTemporary(besides: "\(temporaryFolder)/\(name)")
    defer {
      unsafe unlink(temporary)
      release(temporary)
    }
    return try body(temporary)
  }

  /// `TMPDIR`, or `/tmp` if it is not set.
  private static var temporaryFolder: String {
    unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
  }

  /// Throws if `replace` would refuse the target, for commands that read their input first.
  package static func check(_ path: String, overwrite: Bool) throws(CheckpointError) {
    _ = try Target(path: path, overwrite: overwrite)
  }

  /// Removes every temporary file that is being written, for a process that a signal is about to end.
  ///
  /// Tasks that are still writing one get an error at the end.
  package static func removeTemporaries() {
    temporaries.withLock { state in
      for path in state.paths { unsafe unlink(path) }
    }
  }

  private static func reserveTemporary(besides path: String) -> String {
    let (directory, name) = divided(path)
    return temporaries.withLock { state in
      state.count += 1
      let ending = ".ckpt-tmp-\(getpid())-\(state.count)"
      // A name of a directory entry has at most 255 bytes.
      var start = name[...]
      while start.utf8.count + ending.utf8.count + 1 > 255 { start = start.dropLast() }
      let temporary = "\(directory).\(start)\(ending)"
      state.paths.append(temporary)
      return temporary
    }
  }

  private static func release(_ path: String) {
    temporaries.withLock { $0.paths.removeAll { $0 == path } }
  }

  /// `a/b/c` → `a/b/` and `c`.
  static func divided(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    let start = path.utf8.index(after: slash)
    return (String(path[..<start]), String(path[start...]))
  }
}

/// The file to be replaced, after following links, and its status if it exists.
private struct Target {
  /// The path as given, for errors.
  let given: String
  let path: String
  let old: FileStatus?

  init(path given: String, overwrite: Bool) throws(CheckpointError) {
    var path = given
    var status = try FileStatus(path: path, followingLinks: false)
    var hops = 0
    while let link = status, link.isLink {
      hops += 1
      if hops > 40 { throw .system(ELOOP, nil, path: given) }  // the kernel's own limit
      let next = try Self.destination(ofLink: path)
      path = next.hasPrefix("/") ? next : AtomicFile.divided(path).directory + next
      status = try FileStatus(path: path, followingLinks: false)
    }
    let (directory, name) = AtomicFile.divided(path)
    if name.isEmpty {
      throw CheckpointError(.system, "expected a file, found the name of a directory", path: given)
    }
    if let status {
      guard status.isRegular else {
        throw CheckpointError(
          .system, "expected a regular file to replace, found \(status.kind)", path: given)
      }
      if !overwrite { throw Self.exists(given) }
    }
    let parent = directory.isEmpty ? "." : directory
    _ = try systemCall("write to its directory", path: given) {
      unsafe access(parent, W_OK | X_OK)
    }
    self.given = given
    self.path = path
    old = status
  }

  static func exists(_ path: String) -> CheckpointError {
    CheckpointError(.system, "exists; pass --force to replace it", path: path)
  }

  private static func destination(ofLink path: String) throws(CheckpointError) -> String {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try systemCall("read link", path: path) {
      unsafe readlink(path, &text, text.count)
    }
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Syncs `temporary` and renames it to the target.
  func adopt(_ temporary: String, overwrite: Bool) throws(CheckpointError) {
    try Self.withDescriptor(temporary, O_RDONLY) { descriptor throws(CheckpointError) in
      if let old { try inherit(from: old, descriptor) }
      _ = try systemCall("sync", path: given) { fsync(descriptor) }
    }
    // The directory is opened first: after the rename only its sync can still fail.
    let directory = AtomicFile.divided(path).directory
    try Self.withDescriptor(directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY) {
      descriptor throws(CheckpointError) in
      if overwrite {
        _ = try systemCall("rename", path: given) { unsafe rename(temporary, path) }
      } else {
        try renameWithoutReplacing(temporary)
      }
      // Some network file systems cannot sync a directory and return EINVAL.
      if fsync(descriptor) == -1, errno != EINVAL {
        throw .system(errno, "sync its directory", path: given)
      }
    }
  }

  private func renameWithoutReplacing(_ temporary: String) throws(CheckpointError) {
    var number = Int32(0)
    if unsafe renameat2(AT_FDCWD, temporary, AT_FDCWD, path, UInt32(RENAME_NOREPLACE)) == 0 {
      return
    }
    number = errno
    if number == EINVAL || number == ENOSYS {  // a file system that cannot; a link never replaces
      if unsafe link(temporary, path) == 0 {
        unsafe unlink(temporary)
        return
      }
      number = errno
    }
    throw number == EEXIST ? Self.exists(given) : .system(number, "rename", path: given)
  }

  /// Gives the new file the old one's owner, permissions, and extended attributes.
  ///
  /// Owner and attributes are set as far as the system allows. Permissions must be set, and come
  /// last, because changing the owner clears some of them.
  private func inherit(from old: FileStatus, _ descriptor: Int32) throws(CheckpointError) {
    let new = try FileStatus(descriptor: descriptor, path: given)
    if new.record.st_uid != old.record.st_uid || new.record.st_gid != old.record.st_gid {
      _ = fchown(descriptor, old.record.st_uid, old.record.st_gid)
    }
    copyExtendedAttributes(to: descriptor)
    _ = try systemCall("set permissions", path: given) { fchmod(descriptor, old.permissions) }
  }

  private func copyExtendedAttributes(to descriptor: Int32) {
    var names = [CChar](repeating: 0, count: 65_536)  // XATTR_LIST_MAX
    let length = unsafe listxattr(path, &names, names.count)
    guard length > 0 else { return }
    var value = [UInt8](repeating: 0, count: 65_536)  // XATTR_SIZE_MAX
    for name in names[..<length].split(separator: 0) {
      let name = Array(name) + [0]
      let size = unsafe getxattr(path, name, &value, value.count)
      if size >= 0 { _ = unsafe fsetxattr(descriptor, name, value, size, 0) }
    }
  }

  private static func withDescriptor(
    _ path: String, _ flags: Int32, _ body: (Int32) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let descriptor = try systemCall("open", path: path) { unsafe open(path, flags | O_CLOEXEC) }
    defer { close(descriptor) }
    try body(descriptor)
  }
}
