import ByteIO
package import TensorCore

/// Unpacks the Snappy format.
///
/// Source: github.com/google/snappy, format_description.txt.
package enum Snappy {
  /// Unpacks a block of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError`` `malformed` for a stream that is damaged or holds another number of
  ///   bytes than it says.
  package static func unpacked(_ stream: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    var cursor = ByteCursor(ByteSource(stream, name: "Snappy block"))
    let size = try cursor.varint()
    guard size <= limit else {
      throw CheckpointError(.malformed, "expected a block of at most \(limit) bytes, found \(size)")
    }
    var bytes: [UInt8] = []
    while !cursor.isAtEnd {
      let tag = try cursor.byte()
      let high = Int(tag >> 2)
      switch tag & 3 {
      case 0:
        // Literals of more than 60 bytes have their length in 1 to 4 bytes.
        var length = high
        if high >= 60 {
          length = 0
          for shift in 0..<high - 59 { length |= Int(try cursor.byte()) << (8 * shift) }
        }
        bytes += try cursor.bytes(length + 1)
      case 1:
        let offset = Int(tag >> 5) << 8 | Int(try cursor.byte())
        try copy(high & 7 + 4, from: offset, in: &bytes)
      case 2: try copy(high + 1, from: Int(try cursor.littleEndian(UInt16.self)), in: &bytes)
      default: try copy(high + 1, from: Int(try cursor.littleEndian(UInt32.self)), in: &bytes)
      }
      guard bytes.count <= size else { break }
    }
    guard bytes.count == size else {
      throw CheckpointError(
        .malformed, "expected \(size) bytes in a Snappy block, found \(bytes.count)")
    }
    return bytes
  }

  /// Appends bytes that are there already; they may overlap those that are appended.
  private static func copy(
    _ count: Int, from offset: Int, in bytes: inout [UInt8]
  ) throws(CheckpointError) {
    guard offset > 0, offset <= bytes.count else {
      throw CheckpointError(.malformed, "a Snappy block refers to bytes before its beginning")
    }
    for _ in 0..<count { bytes.append(bytes[bytes.count - offset]) }
  }
}
