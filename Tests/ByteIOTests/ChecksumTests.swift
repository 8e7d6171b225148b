import ByteIO
import TestSupport
import Testing

@Suite struct ChecksumTests {
  @Test func `checksums of the digits are the published ones`() {
    let digits = Array("123456789".utf8)
    #expect(Checksum.crc32(digits.rawBytes) == 0xcbf4_3926)
    #expect(Checksum.adler32(digits.rawBytes) == 0x091e_01de)
  }

  @Test func `checksums of no bytes`() {
    #expect(Checksum.crc32([UInt8]().rawBytes) == 0)
    #expect(Checksum.adler32([UInt8]().rawBytes) == 1)
  }
}
