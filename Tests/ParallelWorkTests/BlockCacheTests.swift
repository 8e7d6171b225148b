import Synchronization
import TensorCore
import TestSupport
import Testing

@testable import ParallelWork

@Suite struct BlockCacheTests {
  /// Reads blocks of 40 bytes, each given by the index of its cache and its offset, and answers which
  /// were made.
  private func made(
    _ keys: [(cache: Int, offset: Int)], capacity: Int, limit: Int = 1 << 20
  ) -> [Int] {
    let memory = BlockMemory(limit: limit)
    let caches = (0..<3).map { _ in BlockCache(capacity: capacity, in: memory) }
    var made: [Int] = []
    for (number, key) in keys.enumerated() {
      let value = UInt8(key.cache * 10 + key.offset)
      caches[key.cache].read(
        BlockCache.Key(offset: key.offset), size: 40,
        madeBy: { bytes in
          made.append(number)
          for index in 0..<40 { bytes.storeBytes(of: value, toByteOffset: index, as: UInt8.self) }
        }
      ) { bytes in
        let isRight = unsafe bytes.withUnsafeBytes { unsafe $0.allSatisfy { $0 == value } }
        #expect(isRight && bytes.byteCount == 40)
      }
    }
    return made
  }

  @Test func `what was used last is kept`() {
    #expect(made([(1, 0), (1, 1), (1, 0), (1, 2), (1, 0), (1, 1)], capacity: 100) == [0, 1, 3, 5])
  }

  @Test func `a block is given up while it is made`() {
    let memory = BlockMemory(limit: 50)
    let caches = (0..<2).map { _ in BlockCache(capacity: 50, in: memory) }
    var used: [UInt8] = []
    caches[0].read(
      BlockCache.Key(offset: 0), size: 40,
      madeBy: { bytes in
        caches[1].read(
          BlockCache.Key(offset: 0), size: 40,
          madeBy: { $0.storeBytes(of: 2, toByteOffset: 39, as: UInt8.self) }
        ) {
          used.append(array($0)[39])
        }
        bytes.storeBytes(of: 1, toByteOffset: 39, as: UInt8.self)
      }
    ) { used.append(array($0)[39]) }
    #expect(used == [2, 1])
  }

  @Test func `two are kept, however small the capacity`() {
    #expect(made([(1, 0), (1, 1), (1, 0), (1, 1), (1, 2), (1, 0)], capacity: 1) == [0, 1, 4, 5])
  }

  @Test func `two sources that are read side by side do not drive out each other's blocks`() {
    let keys = [(1, 0), (2, 0), (1, 1), (2, 0), (2, 1), (1, 1), (1, 2), (2, 1)]
    #expect(made(keys, capacity: 100, limit: 160) == [0, 1, 2, 4, 6])
  }

  @Test func `above the limit of all, the source with the most gives up its oldest block`() {
    let keys = [(0, 0), (0, 1), (0, 2), (1, 0), (0, 2), (0, 1), (1, 0), (0, 0)]
    #expect(made(keys, capacity: 1000, limit: 120) == [0, 1, 2, 3, 7])
  }

  @Test func `a block can be made anew, and is only copied if it is made`() {
    let cache = BlockCache(capacity: 100)
    let key = BlockCache.Key(offset: 7)
    var buffer = ChunkBuffer(capacity: 2)
    var target = buffer.mutableBytes(2)
    #expect(!cache.copy(1..<3, of: key, into: &target))
    for value: UInt8 in [5, 9] {
      cache.remake(key, size: 4) { bytes in
        for index in 0..<4 {
          bytes.storeBytes(of: value + UInt8(index), toByteOffset: index, as: UInt8.self)
        }
      } _: { _ in
      }
      #expect(cache.copy(1..<3, of: key, into: &target))
      let copied = array(target.bytes)
      #expect(copied == [value + 1, value + 2])
    }
  }
}

@Suite struct IOThreadsTests {
  @Test func `parts of a span are filled side by side, whoever waits`() throws {
    let inFlight = Mutex((now: 0, most: 0))
    let threads = IOThreads(count: 3)
    var buffer = ChunkBuffer(capacity: 10)
    var target = buffer.mutableBytes(10)
    try threads.fill(&target, inPartsOf: 2) { offset, part throws(CheckpointError) in
      inFlight.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      // The others wait for the third: that they run at once needs no clock.
      while inFlight.withLock({ $0.most < 3 }) {}
      for index in 0..<part.byteCount {
        part.storeBytes(of: UInt8(offset + index), toByteOffset: index, as: UInt8.self)
      }
      inFlight.withLock { $0.now -= 1 }
    }
    let copied = array(target.bytes)
    #expect(copied == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(inFlight.withLock { $0.most } == 3)
  }

  @Test func `the error of the first part is thrown`() {
    var buffer = ChunkBuffer(capacity: 10)
    var target = buffer.mutableBytes(10)
    let error = #expect(throws: CheckpointError.self) {
      try IOThreads(count: 4).fill(&target, inPartsOf: 3) { offset, _ throws(CheckpointError) in
        if offset > 0 { throw CheckpointError(.system, "part \(offset)") }
      }
    }
    #expect(error?.message == "part 3")
  }
}

/// A copy of a span's bytes.
func array(_ bytes: RawSpan) -> [UInt8] {
  unsafe bytes.withUnsafeBytes { unsafe Array($0) }
}
