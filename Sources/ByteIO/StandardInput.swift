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
      return ByteSource(LocalFile(descriptor: own), status, name: name)
    }
    let copy = try ByteSink.temporary(for: name)
    var chunk = ChunkBuffer()
    while true {
      var target = chunk.mutableBytes(chunk.capacity)
      let count = try systemCall("read", path: name) {
        unsafe target.withUnsafeMutableBytes { bytes in
          unsafe Glibc.read(STDIN_FILENO, bytes.baseAddress, bytes.count)
        }
      }
      if count == 0 { return try copy.readBack() }
      try copy.append(chunk.bytes(count))
    }
  }
}

extension FileProbe {
  /// The file that an argument of the command names; `-` is standard input.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be opened, or standard input is asked for twice.
  package static func argument(_ path: String) throws(CheckpointError) -> FileProbe {
    guard path == "-" else { return try FileProbe(path: path) }
    return try FileProbe(.standardInput(), in: Place.locate("").place)
  }
}
