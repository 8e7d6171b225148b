import CDeflate
import CKernels
import CZlib
package import TensorCore

/// Checksums, computed by libdeflate several times as fast as by zlib.
package enum Checksum {
  /// CRC-32 as in zip, PNG, and gzip (RFC 1952, section 8), continuing from the CRC-32 `start` of the
  /// bytes before.
  package static func crc32(_ bytes: RawSpan, after start: UInt32 = 0) -> UInt32 {
    if bytes.isEmpty { return start }
    return unsafe bytes.withUnsafeBytes {
      unsafe libdeflate_crc32(start, $0.baseAddress, $0.count)
    }
  }

  /// CRC-32 of two concatenated pieces from the CRC-32 of each; the second has `count` bytes.
  package static func crc32(
    _ first: UInt32, followedBy second: UInt32, ofCount count: Int
  ) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), count))
  }

  /// Adler-32, the checksum at the end of a zlib stream (RFC 1950, section 8.2).
  package static func adler32(_ bytes: RawSpan) -> UInt32 {
    // For a null pointer libdeflate returns the checksum of no bytes, which is 1.
    unsafe bytes.withUnsafeBytes { unsafe libdeflate_adler32(1, $0.baseAddress, $0.count) }
  }

  /// The checksum that HDF5's fletcher32 filter appends to each chunk.
  package static func fletcher32(_ bytes: RawSpan) -> UInt32 {
    unsafe bytes.withUnsafeBytes {
      unsafe ckpt_fletcher32($0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
    }
  }

  /// Fletcher-32 of two concatenated pieces from that of each; the first has an even number of bytes,
  /// the second `count`.
  package static func fletcher32(
    _ first: UInt32, followedBy second: UInt32, ofCount count: Int
  ) -> UInt32 {
    // Modulo 65535, as one's complement sums: 0 only if all words are 0.
    func folded(_ sum: UInt64) -> UInt32 {
      var sum = sum
      while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
      return UInt32(sum)
    }
    let words = UInt64((count + 1) / 2)
    let one = folded(UInt64(first & 0xffff) + UInt64(second & 0xffff))
    let two = folded(UInt64(first >> 16) + UInt64(second >> 16) + words * UInt64(first & 0xffff))
    return two << 16 | one
  }

  /// Compares the checksum of a chunk's bytes with the one that follows them.
  ///
  /// - Throws: ``CheckpointError`` `malformed` with both.
  package static func check(fletcher32 found: UInt32, stored: UInt32) throws(CheckpointError) {
    // HDF5 before 1.6.3 swapped the bytes of each half of the checksum on some machines.
    let swapped = (found & 0x00ff_00ff) << 8 | (found & 0xff00_ff00) >> 8
    guard found == stored || swapped == stored else {
      throw CheckpointError(.malformed, "expected Fletcher-32 \(stored), found \(found)")
    }
  }

  /// CRC-32C (Castagnoli), continuing from that of the bytes before.
  package static func crc32c(_ bytes: RawSpan, after start: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes {
      unsafe ckpt_crc32c(start, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
    }
  }
}
