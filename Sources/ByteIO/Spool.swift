import Glibc
package import TensorCore

/// Bytes that come once, put aside in the folder for temporary files (`TMPDIR`) to be read by range.
///
/// The file has no name, so nothing is left behind, and the system frees it when nobody reads it.
package struct Spool {
  private let name: String
  private let file: LocalFile
  private let folder: String

  /// Begins an empty file; `name` is what errors call the source that is made of it.
  ///
  /// - Throws: ``CheckpointError`` `system` when the folder for temporary files cannot be written.
  package init(name: String) throws(CheckpointError) {
    self.name = name
    folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    file = LocalFile(descriptor: try Self.unnamedFile(in: folder))
  }

  /// `O_TMPFILE`, which glibc shows only under `_GNU_SOURCE`.
  private static let unnamed = 0o20_000_000 | O_DIRECTORY

  /// Some file systems cannot make files without a name: there one is made and unlinked.
  private static func unnamedFile(in folder: String) throws(CheckpointError) -> Int32 {
    let descriptor = unsafe open(folder, unnamed | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 { return descriptor }
    var path = Array((folder + "/ckpt-XXXXXX").utf8CString)
    let named = try systemCall("create a temporary file", path: folder) {
      unsafe mkstemp(&path)
    }
    unsafe unlink(path)
    _ = fcntl(named, F_SETFD, FD_CLOEXEC)
    return named
  }

  /// Adds all of `bytes`.
  ///
  /// - Throws: ``CheckpointError`` `system`, a full disk for example, naming the folder.
  package func append(_ bytes: RawSpan) throws(CheckpointError) {
    var done = 0
    while done < bytes.byteCount {
      done += try systemCall("write a temporary file", path: folder) {
        unsafe bytes.withUnsafeBytes { source in
          unsafe write(
            file.descriptor, source.baseAddress.map { unsafe $0 + done }, source.count - done)
        }
      }
    }
  }

  /// What was added, to be read by range.
  package var source: ByteSource {
    get throws(CheckpointError) {
      ByteSource(file, try FileStatus(descriptor: file.descriptor, path: folder), name: name)
    }
  }
}
