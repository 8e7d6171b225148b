import Glibc
import Synchronization
import TensorCore

/// The local files that this process reads at the moment, so that no output takes the place of one that is still
/// needed, whatever links or mounts its path goes through.
enum OpenFiles {
  private static let counts = Mutex<[FileIdentity.Key: Int]>([:])

  static func add(_ file: FileIdentity) { counts.withLock { $0[file.key, default: 0] += 1 } }

  static func remove(_ file: FileIdentity) {
    counts.withLock { counts in
      let count = counts[file.key, default: 1] - 1
      counts[file.key] = count == 0 ? nil : count
    }
  }

  static func contains(_ file: FileIdentity) -> Bool {
    counts.withLock { $0[file.key] != nil }
  }
}

extension ByteSource {
  /// Whether a path leads to a file that is open for reading, and not to the one at `other`; `-` is standard
  /// output.
  package static func isBeingRead(_ path: String, besides other: String? = nil) -> Bool {
    guard let file = FileIdentity(path), OpenFiles.contains(file) else { return false }
    return other.flatMap { FileIdentity($0) }?.key != file.key
  }

  /// Whether a path leads to this very file, whatever links or mounts are on the way; `-` is standard output.
  package func isFile(_ path: String) -> Bool {
    guard let local, let file = try? FileStatus(descriptor: local.file.descriptor, path: name)
    else { return false }
    return FileIdentity(path)?.key == file.identity.key
  }
}

extension FileIdentity {
  /// What a regular file is, changed or not: its device and its inode.
  struct Key: Hashable {
    fileprivate let device: UInt
    fileprivate let inode: UInt
  }

  var key: Key { Key(device: device, inode: inode) }

  /// The regular file at a path, or that is standard output; `nil` for anything else.
  fileprivate init?(_ path: String) {
    let status =
      path == "-"
      ? try? FileStatus(descriptor: STDOUT_FILENO, path: path)
      : (try? FileStatus(path: path, followingLinks: true)) ?? nil
    guard let status, status.isRegular else { return nil }
    self = status.identity
  }
}
