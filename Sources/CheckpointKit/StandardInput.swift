import ByteIO
import Glibc
import TensorCore

/// The file to read for a path: itself, or for `-` a temporary one that holds standard input.
///
/// Formats are read by range, which a pipe cannot do. The caller removes a temporary file, once it
/// is open.
func spooled(_ path: String) throws -> (file: String, isTemporary: Bool) {
  guard path == "-" else { return (path, false) }
  let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
  let file = "\(folder)/ckpt-stdin-\(getpid())"
  let output = try OutputFile(creating: file)
  do {
    var chunk = [UInt8](repeating: 0, count: ChunkBuffer.standardSize)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { bytes in
        unsafe read(STDIN_FILENO, bytes.baseAddress, bytes.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw CheckpointError(
          .unreadable, unsafe String(cString: strerror(errno)), path: "standard input")
      }
      if count == 0 { break }
      try output.append(chunk.rawBytes.extracting(0..<count))
    }
    try output.close()
  } catch {
    unsafe unlink(file)
    throw error
  }
  return (file, true)
}
