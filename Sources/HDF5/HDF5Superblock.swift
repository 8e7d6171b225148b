import Glibc
import TensorCore

/// The first structure of an HDF5 file, looked at before the library sees the file.
///
/// Source: HDF5 File Format Specification 3.0, section II.A "Disk Format: Level 0A".
package enum HDF5Superblock {
  /// The eight bytes that begin a superblock.
  package static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Where a superblock may begin: at 0, or at 512 and its doublings behind a user block.
  package static func places(within size: Int) -> [Int] {
    var places = [0]
    var place = 512
    while place < size {
      places.append(place)
      place *= 2
    }
    return places
  }

  /// Checks that a file is regular, carries the signature, and is not shorter than it says.
  ///
  /// - Returns: The file's size in bytes.
  /// - Throws: ``CheckpointError``: `unreadable` with the system's reason, `malformed` otherwise.
  static func check(_ path: String) throws(CheckpointError) -> Int {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw CheckpointError(.unreadable, reason(), path: path) }
    defer { _ = close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw CheckpointError(.unreadable, reason(), path: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError(.unreadable, "not a regular file", path: path)
    }
    let size = status.st_size
    for place in places(within: size) {
      let head = bytes(of: descriptor, at: place, count: 64)
      guard head.starts(with: signature) else { continue }
      guard let end = endOfFile(head) else {
        throw CheckpointError(
          .malformed, "superblock is cut short or of an unknown version", path: path, offset: place)
      }
      if end > UInt64(size) {
        throw CheckpointError(
          .malformed, "file is cut short: its superblock says \(end) bytes, found \(size)",
          path: path, offset: place)
      }
      return size
    }
    throw CheckpointError(.malformed, "no HDF5 signature found", path: path)
  }

  /// The field "end of file address"; `nil` if the bytes end before it.
  private static func endOfFile(_ head: [UInt8]) -> UInt64? {
    guard head.count > 14 else { return nil }
    let version = head[8]
    let (width, base) =
      switch version {
      case 0: (Int(head[13]), 24)
      case 1: (Int(head[13]), 28)
      case 2, 3: (Int(head[9]), 12)
      default: (0, 0)
      }
    guard [2, 4, 8].contains(width) else { return nil }
    let start = base + 2 * width  // base address, one more address, end of file address
    guard head.count >= start + width else { return nil }
    return head[start..<(start + width)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func bytes(of descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, count, offset)
    }
    return Array(bytes.prefix(max(found, 0)))
  }

  private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
