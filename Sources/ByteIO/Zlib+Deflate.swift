import CZlib
package import TensorCore

/// Packing by zlib itself, for the formats that ask for a level.
extension Zlib {
  /// Packs bytes as one zlib stream; `level` is 0 to 9.
  ///
  /// - Throws: ``CheckpointError`` `system` when there is not enough memory.
  package static func deflate(_ bytes: RawSpan, level: Int) throws(CheckpointError) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Int(compressBound(UInt(bytes.byteCount))))
    var count = UInt(output.count)
    var spare: UInt8 = 0  // zlib refuses a null pointer even for no bytes
    let status = unsafe bytes.withUnsafeBytes { source in
      unsafe withUnsafePointer(to: &spare) { spare in
        let from = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
        return unsafe compress2(&output, &count, from, UInt(source.count), Int32(level))
      }
    }
    guard status == Z_OK else {
      throw CheckpointError(.system, "expected zlib to return \(Z_OK), found \(status)")
    }
    output.removeLast(output.count - Int(count))
    return output
  }
}
