import Glibc
import Synchronization
import TensorCore
import Testing

@testable import ParallelWork

struct CallingThreadTests {
  private struct Failure: Error, Equatable {}

  @Test func `work is done on the thread that waits`() throws {
    let own = pthread_self()
    let isSame = try CallingThread.run {
      await Task.yield()
      return pthread_equal(own, pthread_self()) != 0
    }
    #expect(isSame)
  }

  @Test func `a pipeline has threads of its own, and its caller goes on here`() throws {
    let own = pthread_self()
    let sums = try CallingThread.run {
      let found = try await concurrentMap(0..<50, width: 3) { number in
        (number * number, pthread_equal(own, pthread_self()) != 0)
      }
      return (found.map(\.0), found.contains(where: \.1), pthread_equal(own, pthread_self()) != 0)
    }
    #expect(sums.0 == (0..<50).map { $0 * $0 })
    #expect(!sums.1)
    #expect(sums.2)
  }

  @Test func `an error is thrown where the caller waits`() {
    #expect(throws: Failure()) {
      try CallingThread.run { () async throws -> Int in
        await Task.yield()
        throw Failure()
      }
    }
  }

  @Test func `work that is cancelled before it begins does nothing`() {
    let count = Mutex(0)
    #expect(throws: CancellationError.self) {
      try CallingThread.run {
        try await concurrentMap(0..<1000, width: 2) { _ in count.withLock { $0 += 1 } }
      } started: {
        $0()
      }
    }
    #expect(count.withLock { $0 } == 0)
  }

  @Test func `work that is cancelled ends before all of it is done`() {
    let cancel = Mutex<(@Sendable () -> Void)?>(nil)
    let count = Mutex(0)
    #expect(throws: CancellationError.self) {
      try CallingThread.run {
        try await concurrentMap(0..<100_000, width: 2) { number in
          count.withLock { $0 += 1 }
          if number == 10 { cancel.withLock { $0 }?() }
        }
      } started: { function in
        cancel.withLock { $0 = function }
      }
    }
    #expect(count.withLock { $0 } < 100_000)
  }

  @Test func `calls within calls, and many at once, do not wait for each other`() async throws {
    let found = try await concurrentMap(0..<20, width: 20) { number in
      try CallingThread.run {
        try CallingThread.run { try await concurrentMap([number], width: 2) { $0 + 1 }[0] }
      }
    }
    #expect(found == Array(1...20))
  }
}
