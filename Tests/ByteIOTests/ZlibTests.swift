import ByteIO
import TensorCore
import TestSupport
import Testing

@Suite struct ZlibTests {
  private func inflate(_ stream: [UInt8], count: Int) throws(CheckpointError) -> [UInt8] {
    try [UInt8](count: count) { target throws(CheckpointError) in
      try Zlib.inflate(stream.rawBytes, into: &target)
    }
  }

  @Test(arguments: [0, 1, 2, 100, 65_535, 65_536, 300_000], [0, 1, 6, 9])
  func `inflating undoes deflating`(_ count: Int, _ level: Int) throws {
    let bytes = noise(count, seed: 7).map { $0 & 3 }
    let stream = try Zlib.deflate(bytes.rawBytes, level: level)
    #expect(try inflate(stream, count: count) == bytes)
  }

  @Test func `a stream must fill its target exactly`() throws {
    let stream = try Zlib.deflate([1, 2, 3, 4].rawBytes, level: 6)
    let long = #expect(throws: CheckpointError.self) { try inflate(stream, count: 3) }
    #expect(long?.message == "the zlib stream holds more than the expected 3 bytes")
    let none = #expect(throws: CheckpointError.self) { try inflate(stream, count: 0) }
    #expect(none?.message == "the zlib stream holds more than the expected 0 bytes")
    let short = #expect(throws: CheckpointError.self) { try inflate(stream, count: 5) }
    #expect(short?.message == "expected 5 bytes, but the zlib stream holds 4")
    let rest = #expect(throws: CheckpointError.self) { try inflate(stream + [0], count: 4) }
    #expect(
      rest?.message
        == "expected a zlib stream of \(stream.count + 1) bytes, but it ends after \(stream.count)")
  }

  @Test func `a stream truncated at any byte is refused`() throws {
    let stream = try Zlib.deflate(noise(500, seed: 1).rawBytes, level: 6)
    for length in 0..<stream.count {
      #expect(throws: CheckpointError.self, "\(length)") {
        try inflate(Array(stream[..<length]), count: 500)
      }
    }
  }

  @Test func `a wrong Adler-32 is refused`() throws {
    var stream = try Zlib.deflate([1, 2, 3, 4].rawBytes, level: 6)
    stream[stream.count - 1] ^= 1
    let error = #expect(throws: CheckpointError.self) { try inflate(stream, count: 4) }
    #expect(error?.message == "the zlib stream is damaged: incorrect data check")
  }

  @Test func `a stream that needs a dictionary is refused`() throws {
    // Python 3.11: c = zlib.compressobj(6, zlib.DEFLATED, 15, 8, 0, b"abcdefgh"), given b"abcdefgh"
    let stream: [UInt8] = [
      0x78, 0xbb, 0x0e, 0x00, 0x03, 0x25, 0x4b, 0x84, 0xd2, 0x00, 0x0e, 0x00, 0x03, 0x25,
    ]
    let error = #expect(throws: CheckpointError.self) { try inflate(stream, count: 8) }
    #expect(error?.message == "the zlib stream needs a preset dictionary")
  }
}
