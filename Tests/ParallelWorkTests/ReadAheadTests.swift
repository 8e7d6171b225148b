import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct ReadAheadTests {
  /// A file in memory that counts what is read.
  private final class File {
    let bytes: [UInt8]
    /// What is read, and whether it is read ahead.
    var reads: [(range: Range<Int>, isAhead: Bool)] = []
    /// Whether bytes that nobody asks for cannot be read.
    var refusesAhead = false

    init(_ count: Int, seed: Int) {
      bytes = (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed) >> 7) }
    }

    /// The bytes of a range, as the thread's reading ahead gives them.
    func read(_ range: Range<Int>) throws -> [UInt8] {
      let ahead = try #require(ReadAhead.current)
      var buffer = ChunkBuffer(capacity: range.count)
      var target = buffer.mutableBytes(range.count)
      try ahead.read(at: range.lowerBound, into: &target, of: self, count: bytes.count) {
        offset, target, isAhead throws(CheckpointError) in
        let range = offset..<offset + target.byteCount
        reads.append((range, isAhead))
        if isAhead, refusesAhead { throw CheckpointError(.system, "no") }
        for (index, byte) in bytes[range].enumerated() {
          target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
      }
      return unsafe buffer.bytes(range.count).withUnsafeBytes { unsafe Array($0) }
    }
  }

  @Test(arguments: [0, 63, 4096]) func `reads that follow each other are few calls`(gap: Int) throws
  {
    let file = File(3_000_000, seed: 1)
    try ReadAhead.during(1000) { () throws in
      for start in stride(from: 5, to: file.bytes.count - 64, by: 64 + gap) {
        #expect(try file.read(start..<start + 64) == Array(file.bytes[start..<start + 64]))
      }
    }
    #expect(file.reads.count < 25)
    #expect(file.reads.allSatisfy { $0.range.upperBound <= file.bytes.count })
  }

  @Test func `other reads are made as they are`() throws {
    let file = File(1_000_000, seed: 2)
    let starts = (0..<100).map { ($0 * 37 % 100) * 10_000 }
    try ReadAhead.during(100) { () throws in
      for start in starts {
        #expect(try file.read(start..<start + 100) == Array(file.bytes[start..<start + 100]))
      }
    }
    #expect(file.reads.map(\.range) == starts.map { $0..<$0 + 100 })
    #expect(file.reads.allSatisfy { !$0.isAhead })
  }

  @Test func `files that take turns and reads of any size give their own bytes`() throws {
    let files = [File(200_000, seed: 3), File(200_000, seed: 4)]
    var generator = SplitMix(seed: 6)
    try ReadAhead.during(3) { () throws in
      var end = 0
      for turn in 0..<2000 {
        let file = files[turn / 7 % 2]
        if end > file.bytes.count - 20_000 || turn % 50 == 0 {
          end = Int.random(in: 0..<100_000, using: &generator)
        }
        let start = end + Int.random(in: 0..<100, using: &generator)
        end = start + Int.random(in: 0...2000, using: &generator)
        #expect(try file.read(start..<end) == Array(file.bytes[start..<end]))
      }
    }
  }

  @Test func `what cannot be read ahead concerns nobody`() throws {
    let file = File(100_000, seed: 5)
    file.refusesAhead = true
    try ReadAhead.during(10) { () throws in
      for start in stride(from: 0, to: 1000, by: 10) {
        #expect(try file.read(start..<start + 10) == Array(file.bytes[start..<start + 10]))
      }
    }
    #expect(file.reads.contains { $0.isAhead })
  }

  @Test func `few tensors are read as they are`() {
    ReadAhead.during(2) { #expect(ReadAhead.current == nil) }
    ReadAhead.during(3) { #expect(ReadAhead.current != nil) }
    #expect(ReadAhead.current == nil)
  }
}
