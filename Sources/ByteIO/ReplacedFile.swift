import CLinux
import Glibc
import TensorCore

/// The file that a new one takes the place of, links followed, or the name that nothing has yet.
struct ReplacedFile {
  /// The path as it was given, for errors.
  let given: String
  /// The path of the file itself.
  let path: String
  private let old: FileStatus?

  /// Whether there is a file to replace.
  var isThere: Bool { old != nil }

  /// The permissions to make the new file with: no more than the old one's, which it gets at the end.
  var creationMode: mode_t { (old?.permissions ?? 0o666) & 0o666 | 0o600 }

  /// Looks at the target.
  ///
  /// - Throws: ``CheckpointError`` `system` when it is not a regular file, exists and may not be
  ///   replaced, or its directory cannot be written.
  init(path given: String, replacing: Bool) throws(CheckpointError) {
    var path = given
    var status = try Self.status(of: path, given)
    var hops = 0
    while let link = status, link.isLink {
      hops += 1
      if hops > 40 { throw .system(ELOOP, nil, path: given) }  // the kernel's own limit
      let next = try Self.destination(ofLink: path)
      path = next.hasPrefix("/") ? next : Place.divided(path).folder + next
      status = try Self.status(of: path, given)
    }
    let (directory, name) = Place.divided(path)
    if name.isEmpty {
      throw CheckpointError(.system, "expected a file, found the name of a directory", path: given)
    }
    if let status {
      guard status.isRegular else {
        throw CheckpointError(
          .system, "expected a regular file to replace, found \(status.kind)", path: given)
      }
      if !replacing { throw Self.exists(given) }
    }
    self.given = given
    self.path = path
    old = status
    try checkDirectory(directory)
  }

  private static func status(
    of path: String, _ given: String
  ) throws(CheckpointError) -> FileStatus? {
    do throws(CheckpointError) {
      return try FileStatus(path: path, followingLinks: false)
    } catch {
      throw error.replacing(path: given)
    }
  }

  private func checkDirectory(_ directory: String) throws(CheckpointError) {
    do throws(CheckpointError) {
      _ = try systemCall("write to its directory", path: given) {
        unsafe access((directory.isEmpty ? "." : directory).systemPath, W_OK | X_OK)
      }
    } catch {
      if error.systemNumber == ENOENT, !directory.isEmpty {
        let name = directory.utf8.count > 1 ? String(directory.dropLast()) : directory
        throw CheckpointError(.system, "directory '\(name)' does not exist", path: given)
      }
      throw error
    }
  }

  static func exists(_ path: String) -> CheckpointError {
    CheckpointError(.system, "exists; pass --force to replace it", path: path)
  }

  private static func destination(ofLink path: String) throws(CheckpointError) -> String {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try systemCall("read link", path: path) {
      unsafe readlink(path.systemPath, &text, text.count)
    }
    return String(pathBytes: text[..<count].map { UInt8(bitPattern: $0) })
  }

  /// Syncs the new file and gives it the target's name.
  func replace(with file: NewFile, replacing: Bool) throws(CheckpointError) {
    try prepare(file)
    // The directory is opened first: after the rename only its sync can still go wrong.
    let folder = try OpenFolder(of: path, shownAs: given)
    try replacing ? file.takeOver(path) : file.take(path)
    try folder.sync()
  }

  /// Gives the new file all but the name, and syncs it.
  func prepare(_ file: NewFile) throws(CheckpointError) {
    if let old { try inherit(from: old, file.descriptor) }
    _ = try systemCall("sync", path: given) { fsync(file.descriptor) }
  }

  /// Gives the new file the old one's owner, permissions and extended attributes.
  ///
  /// Owner and attributes as far as the system lets; permissions must be had, after the owner,
  /// since a change of owner takes some away.
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
    let path = path.systemPath
    let length = unsafe listxattr(path, &names, names.count)
    guard length > 0 else { return }
    var value = [UInt8](repeating: 0, count: 65_536)  // XATTR_SIZE_MAX
    for name in names[..<length].split(separator: 0) {
      let name = Array(name) + [0]
      let size = unsafe getxattr(path, name, &value, value.count)
      if size >= 0 { _ = unsafe fsetxattr(descriptor, name, value, size, 0) }
    }
  }
}
