import CheckpointFormats
import Glibc
import Synchronization
import Testing

@Suite struct OrderedPipelineTests {
  private struct Stop: Error {}

  @Test(arguments: [0, 1, 2, 3, 8])
  func `values are consumed in order, however long each takes`(_ width: Int) async throws {
    var next = 0
    var consumed: [Int] = []
    let atWork = Mutex((now: 0, most: 0))
    try await orderedPipeline(
      width: width,
      next: {
        next += 1
        return next <= 60 ? next : nil
      },
      transform: { number in
        atWork.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        usleep(UInt32(number * 37 % 5 * 1000))
        atWork.withLock { $0.now -= 1 }
        return number * 10
      },
      consume: { consumed.append($0) })
    #expect(consumed == (1...60).map { $0 * 10 })
    #expect(atWork.withLock { $0.most } <= max(width, 1))
  }

  @Test(arguments: [1, 3])
  func `the first error ends the work`(_ width: Int) async throws {
    var next = 0
    var consumed: [Int] = []
    await #expect(throws: Stop.self) {
      try await orderedPipeline(
        width: width,
        next: {
          next += 1
          return next
        },
        transform: { if $0 == 20 { throw Stop() } else { $0 } },
        consume: { consumed.append($0) })
    }
    #expect(consumed == Array(1..<1 + consumed.count))
    #expect(consumed.count < 20)
    #expect(next <= 20 + width)
  }
}
