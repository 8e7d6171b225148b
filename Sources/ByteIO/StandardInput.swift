import Glibc
import ParallelWork
import Synchronization
package import TensorCore

/// Standard input as a source.
extension ByteSource {
  /// Whether standard input was given away: what was read once is gone.
  private static let isInputTaken = Atomic(false)

  /// Standard input, called `standard input` in errors: read in its place if it is a regular file at
  /// its beginning, else copied to a temporary file first, since a pipe cannot be read by range.
  ///
  /// - Throws: ``CheckpointError`` `system` when it is asked for a second time, or cannot be read.
  package static func standardInput() throws(CheckpointError) -> ByteSource {
    let name = "standard input"
    guard !isInputTaken.exchange(true, ordering: .relaxed) else {
      throw CheckpointError(.system, "may be given only once", path: name)
    }
    let status = try FileStatus(descriptor: STDIN_FILENO, path: name)
    // After another program has read a part of it, the rest is what counts, and offsets would be
    // wrong.
    if status.isRegular, lseek(STDIN_FILENO, 0, SEEK_CUR) == 0 {
      let own = try systemCall(nil, path: name) { fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) }
      return ByteSource(
        LocalFile(descriptor: own, opened: status.identity), status, name: name)
    }
    return try copy(ofPipe: STDIN_FILENO, name: name)
  }

  /// What comes from a pipe, copied to a temporary file.
  fileprivate static func copy(
    ofPipe descriptor: Int32, name: String
  ) throws(CheckpointError) -> ByteSource {
    let copy = try ByteSink.temporary(for: name)
    var chunk = ChunkBuffer()
    while true {
      var target = chunk.mutableBytes(chunk.capacity)
      let count = try systemCall("read", path: name) {
        unsafe target.withUnsafeMutableBytes { bytes in
          unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
        }
      }
      if count == 0 { return try copy.readBack() }
      try copy.append(chunk.bytes(count))
    }
  }
}

extension FileProbe {
  /// The file that an argument of the command names; `-` is standard input, and `/dev/fd/63` a pipe
  /// that the shell has opened for `<(…)`.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be opened, or standard input is asked for twice.
  package static func argument(_ path: String) throws(CheckpointError) -> FileProbe {
    if path == "-" { return try FileProbe(.standardInput(), in: Place.locate("").place) }
    guard let pipe = try pipe(path) else { return try FileProbe(path: path) }
    return try FileProbe(.copy(ofPipe: pipe, name: path), in: Place.locate("").place)
  }

  /// The descriptor of an open pipe that a path stands for; `nil` for any other path.
  ///
  /// A pipe with a name of its own is refused, since nobody may ever write to it.
  private static func pipe(_ path: String) throws(CheckpointError) -> Int32? {
    for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
      guard let descriptor = Int32(path.dropFirst(folder.utf8.count)), descriptor >= 0,
        try FileStatus(descriptor: descriptor, path: path).isPipe
      else { return nil }
      return descriptor
    }
    return nil
  }
}
