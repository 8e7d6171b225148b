import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct BlockCacheTests {
  /// Reads blocks of 40 bytes, each given by its owner and its place, and answers which were made.
  private func made(_ keys: [(UInt64, Int)], capacity: Int) -> [Int] {
    let store = BlockCache(capacity: capacity)
    var made: [Int] = []
    for (number, (address, place)) in keys.enumerated() {
      let key = BlockCache.Key(address: address, offset: place)
      let value = UInt8(truncatingIfNeeded: Int(address) * 10 + place)
      store.read(
        key, size: 40,
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

  @Test func `two are kept, however small the capacity`() {
    #expect(made([(1, 0), (1, 1), (1, 0), (1, 1), (1, 2), (1, 0)], capacity: 1) == [0, 1, 4, 5])
  }

  @Test func `two that are read side by side do not drive out each other's blocks`() {
    let keys: [(UInt64, Int)] = [(1, 0), (2, 0), (1, 1), (2, 0), (2, 1), (1, 1), (1, 2), (2, 1)]
    #expect(made(keys, capacity: 100) == [0, 1, 2, 4, 6])
  }
}
