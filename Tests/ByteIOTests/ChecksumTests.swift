import ByteIO
import CKernels
import TestSupport
import Testing

@Suite struct ChecksumTests {
  @Test func `checksums of the digits are the published ones`() {
    let digits = Array("123456789".utf8)
    #expect(Checksum.crc32(digits.rawBytes) == 0xcbf4_3926)
    #expect(Checksum.adler32(digits.rawBytes) == 0x091e_01de)
  }

  @Test func `CRC-32C is the published one, on every processor and in pieces`() {
    let digits = Array("123456789".utf8)
    #expect(Checksum.crc32c(digits.rawBytes) == 0xe306_9283)
    // RFC 3720, appendix B.4.
    let zeros = [UInt8](repeating: 0, count: 32)
    #expect(Checksum.crc32c(zeros.rawBytes) == 0x8a91_36aa)
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    for count in [0, 1, 7, 8, 9, 63, 1000] {
      let (all, head, rest) = (bytes[..<count], bytes[..<(count / 3)], bytes[(count / 3)..<count])
      let whole = Checksum.crc32c(all.rawBytes)
      let portable = unsafe bytes.withUnsafeBufferPointer {
        unsafe ckpt_crc32c_portable(0, $0.baseAddress, count)
      }
      #expect(whole == portable)
      let first = Checksum.crc32c(head.rawBytes)
      #expect(Checksum.crc32c(rest.rawBytes, after: first) == whole)
    }
  }

  @Test func `checksums of no bytes`() {
    #expect(Checksum.crc32([UInt8]().rawBytes) == 0)
    #expect(Checksum.adler32([UInt8]().rawBytes) == 1)
  }
}
