import CDeflate
import CKernels
import CZlib

/// Sums that find damage, through libdeflate: several times as fast as zlib's.
package enum Checksum {
  /// CRC-32 as zip, PNG and gzip have it (RFC 1952 section 8), of bytes that follow those whose sum
  /// is `start`.
  package static func crc32(_ bytes: RawSpan, after start: UInt32 = 0) -> UInt32 {
    if bytes.isEmpty { return start }
    return unsafe bytes.withUnsafeBytes {
      unsafe libdeflate_crc32(start, $0.baseAddress, $0.count)
    }
  }

  /// CRC-32 of two pieces from the CRC-32 of each; the second has `count` bytes.
  package static func crc32(
    _ first: UInt32, followedBy second: UInt32, ofCount count: Int
  ) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), count))
  }

  /// Adler-32, which ends a zlib stream (RFC 1950 section 2.2).
  package static func adler32(_ bytes: RawSpan) -> UInt32 {
    // Without an address libdeflate answers the sum of nothing, which is 1.
    unsafe bytes.withUnsafeBytes { unsafe libdeflate_adler32(1, $0.baseAddress, $0.count) }
  }

  /// The checksum that HDF5's filter fletcher32 puts behind each chunk.
  package static func fletcher32(_ bytes: RawSpan) -> UInt32 {
    unsafe bytes.withUnsafeBytes {
      unsafe ckpt_fletcher32($0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
    }
  }
}
