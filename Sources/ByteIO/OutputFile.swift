import Glibc
package import TensorCore

/// A new file that is written from beginning to end.
package final class OutputFile {
  /// The path, for errors.
  package let path: String
  /// Bytes written so far.
  package private(set) var position = 0
  private var descriptor: Int32?
  /// Offset up to which writeback to the device has been started.
  private var writebackStart = 0

  /// Number of bytes after which writeback is started.
  static let writebackSize = 8 << 20

  /// Creates the file with the process's default permissions; the path must not exist.
  ///
  /// - Throws: ``CheckpointError`` `system` with the system's message.
  package init(creating path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try systemCall("create", path: path) {
      unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }
  }

  deinit {
    if let descriptor { Glibc.close(descriptor) }
  }

  /// Appends all of `bytes`.
  ///
  /// - Throws: ``CheckpointError`` `system` with the system's message and the position; the file is
  ///   then incomplete and must be discarded.
  package func append(_ bytes: RawSpan) throws(CheckpointError) {
    guard let descriptor else { preconditionFailure("append to a closed file") }
    var done = 0
    while done < bytes.byteCount {
      let answer = try systemCall("write", path: path, offset: position) {
        unsafe bytes.withUnsafeBytes { source in
          unsafe write(
            descriptor, source.baseAddress.map { unsafe $0 + done }, source.count - done)
        }
      }
      done += answer
      position += answer
    }
    if position - writebackStart >= Self.writebackSize {
      beginWriteback(descriptor, at: writebackStart, count: position - writebackStart)
      writebackStart = position
    }
  }

  /// Writes `bytes` over those that were written at byte `place`; the position stays.
  package func overwrite(at place: Int, with bytes: RawSpan) throws(CheckpointError) {
    guard let descriptor else { preconditionFailure("change of a closed file") }
    precondition(place >= 0 && bytes.byteCount <= position - place, "only what is there")
    try pwriteAll(descriptor, bytes, at: place, path: path)
  }

  /// Writes zeros up to the next multiple of `alignment`.
  package func pad(toMultipleOf alignment: Int) throws(CheckpointError) {
    let rest = position % alignment
    if rest == 0 { return }
    let zeros = [UInt8](repeating: 0, count: alignment - rest)
    try append(zeros.rawBytes)
  }

  /// Removes everything from byte `position` on.
  package func truncate(to position: Int) throws(CheckpointError) {
    guard let descriptor else { preconditionFailure("change of a closed file") }
    precondition(position <= self.position)
    _ = try systemCall("truncate", path: path) { ftruncate(descriptor, position) }
    _ = try systemCall("seek", path: path) { lseek(descriptor, position, SEEK_SET) }
    self.position = position
    writebackStart = min(writebackStart, position)
  }

  /// Closes the file and reports any write error that the system has delayed until now.
  package func close() throws(CheckpointError) {
    guard let descriptor else { return }
    self.descriptor = nil
    try closeReporting(descriptor, path: path)
  }
}
