import ByteIO
import TensorCore

/// The value of elements that were never written.
///
/// Source: HDF5 File Format Specification 3.0, sections IV.A.2.e and f "The Fill Value Message".
enum HDF5FillValue {
  /// The bytes of one element as they are in memory; empty for zeros.
  static func bytes(
    _ header: HDF5ObjectHeader, of element: HDF5Element, size: Int, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [UInt8] {
    // The newer message counts where there are both; the old one is only a size and a value.
    let stored: ArraySlice<UInt8>
    if let message = header.first(.fillValue) {
      stored = try self.stored(try HDF5SharedMessages.body(of: message, in: metadata))
    } else if let message = header.first(.oldFillValue) {
      var body = try HDF5SharedMessages.body(of: message, in: metadata)
      stored = try body.bytes(try body.integer(4))
    } else {
      return []
    }
    if stored.allSatisfy({ $0 == 0 }) { return [] }
    guard stored.count == size else {
      throw CheckpointError(
        .malformed, "fill value: expected \(size) bytes, found \(stored.count)")
    }
    var bytes = Array(stored)
    if case .swapped(let width) = element.form {
      for start in stride(from: 0, to: size, by: width) {
        bytes[start..<start + width].reverse()
      }
    }
    if let bits = element.bits { bytes.fillBytes { bits.widen(&$0) } }
    return bytes
  }

  /// The fill value of a message of kind 5, still in the file's byte order.
  private static func stored(_ message: HDF5Cursor) throws(CheckpointError) -> ArraySlice<UInt8> {
    var body = message
    let version = try body.byte()
    let isDefined: Bool
    switch version {
    case 1, 2:
      try body.skip(2)  // space allocation time, fill value write time
      let flag = try body.byte()
      isDefined = version == 1 || flag != 0
    case 3: isDefined = try body.byte() & 32 != 0
    default: throw body.malformed("fill value: expected version 1 to 3, found \(version)")
    }
    // A size of -1 means that the fill value is undefined.
    guard isDefined, body.remaining >= 4 else { return [] }
    let size = try body.integer(4)
    return size > Int32.max ? [] : try body.bytes(size)
  }
}
