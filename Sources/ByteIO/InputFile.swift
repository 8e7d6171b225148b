import Glibc
package import TensorCore

/// A regular file opened for reading by position, from any number of tasks at once; or, where the
/// path begins with `http://` or `https://`, a file on a web server, read by range.
///
/// Bytes are copied with `pread` and never mapped: a mapped file that another process truncates
/// kills this one with SIGBUS.
package final class InputFile: Sendable {
  /// Where it was opened, for errors.
  package let path: String
  /// Bytes in the file when it was opened.
  package let size: Int
  private let source: Source

  private enum Source {
    case descriptor(Int32)
    case remote(RemoteFile)
    /// A file from this byte on.
    case part(InputFile, Int)
  }

  /// Whether a path names a file on a web server.
  package static func isRemote(_ path: String) -> Bool { RemoteFile.isRemote(path) }

  /// A path under which this process can open the same file once more, even if its name is gone;
  /// `nil` for what is no whole file of this machine.
  package var descriptorPath: String? {
    guard case .descriptor(let number) = source else { return nil }
    return "/proc/self/fd/\(number)"
  }

  /// Opens a file.
  ///
  /// - Throws: ``CheckpointError`` with code `system` when the system refuses, or when the path
  ///   is anything but a regular file; a pipe without a writer is refused at once, too.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    if RemoteFile.isRemote(path) {
      let file = try RemoteFile.open(path)
      size = file.size
      source = .remote(file)
      return
    }
    // O_NONBLOCK: opening a pipe would wait for its writer.
    let descriptor = try systemCall(nil, path: path) {
      unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    }
    do throws(CheckpointError) {
      let status = try FileStatus(descriptor: descriptor, path: path)
      guard status.isRegular else {
        throw CheckpointError(
          .system, "\(status.kind) was found, a regular file is required", path: path)
      }
      size = status.size
    } catch {
      close(descriptor)
      throw error
    }
    source = .descriptor(descriptor)
  }

  /// A part of a file, read as if it were one; offsets in errors are the whole file's.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when the range does not lie in the file.
  package init(_ whole: InputFile, _ range: Range<Int>) throws(CheckpointError) {
    guard range.lowerBound >= 0, range.upperBound <= whole.size else {
      throw CheckpointError(
        .malformed, "\(range.count) bytes are required here, the file has \(whole.size)",
        path: whole.path, offset: range.lowerBound)
    }
    path = whole.path
    size = range.count
    source = .part(whole, range.lowerBound)
  }

  deinit { if case .descriptor(let descriptor) = source { close(descriptor) } }

  /// Fills `target` with the bytes from `offset` on.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` when the range does not lie in the file,
  ///   `system` when the system refuses or the file has shrunk since it was opened.
  package func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    let count = target.byteCount
    guard offset >= 0, offset <= size, count <= size - offset else {
      throw CheckpointError(
        .malformed, "\(count) bytes are required here, the file has \(size)", path: path,
        offset: offset)
    }
    let descriptor: Int32
    switch source {
    case .remote(let file): return try file.read(at: offset, into: &target)
    case .part(let whole, let start): return try whole.read(at: start + offset, into: &target)
    case .descriptor(let number): descriptor = number
    }
    var done = 0
    while done < count {
      let answer = try systemCall("read", path: path, offset: offset + done) {
        unsafe target.withUnsafeMutableBytes { bytes in
          unsafe pread(
            descriptor, bytes.baseAddress.map { unsafe $0 + done }, count - done, offset + done)
        }
      }
      guard answer > 0 else {
        throw CheckpointError(
          .system, "the file ended here while it was read, it had \(size) bytes", path: path,
          offset: offset + done)
      }
      done += answer
    }
  }

  /// The bytes `range` of the file; the range must lie in it, so that a number from a file cannot
  /// make memory be reserved for bytes that are not there.
  package func bytes(_ range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw CheckpointError(
        .malformed, "\(range.count) bytes are required here, the file has \(size)", path: path,
        offset: range.lowerBound)
    }
    return try [UInt8](count: range.count) { target throws(CheckpointError) in
      try read(at: range.lowerBound, into: &target)
    }
  }

  /// The first `count` bytes, or all of a shorter file.
  package func head(_ count: Int) throws(CheckpointError) -> [UInt8] {
    try bytes(0..<min(count, size))
  }
}
