import Glibc
import TensorCore

/// Files of this machine as sources.
extension ByteSource {
  /// Opens a local regular file; `nil` if the path leads to a folder.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses, or when the path leads to
  ///   anything else; a pipe without a writer is refused immediately.
  static func local(_ path: String) throws(CheckpointError) -> ByteSource? {
    // O_NONBLOCK: opening a pipe would wait for its writer.
    let file = LocalFile(
      descriptor: try systemCall(nil, path: path) {
        unsafe open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
      })
    let status = try FileStatus(descriptor: file.descriptor, path: path)
    if status.isFolder { return nil }
    guard status.isRegular else {
      throw CheckpointError(
        .system, "expected a regular file, found \(status.kind)", path: path)
    }
    return ByteSource(file, status, name: path)
  }

  /// Creates a source from the descriptor of an open regular file, which may have no name any more.
  convenience init(_ file: LocalFile, _ status: FileStatus, name: String) {
    let size = status.size
    self.init(
      name: name, size: size, entityTag: status.entityTag, local: (file, 0)
    ) { offset, target throws(CheckpointError) in
      try file.read(at: offset, into: &target, name: name, size: size)
    }
  }
}

/// The descriptor of an open file, closed with the last reader.
final class LocalFile: Sendable {
  let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Fills `target` with the bytes starting at `offset` of a file that had `size` bytes when opened.
  func read(
    at offset: Int, into target: inout MutableRawSpan, name: String, size: Int
  ) throws(CheckpointError) {
    let count = target.byteCount
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
