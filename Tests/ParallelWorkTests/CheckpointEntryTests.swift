import ParallelWork
import Synchronization
import TensorCore
import Testing

@Suite struct CheckpointEntryTests {
  private func counting(_ count: Int) throws -> Checkpoint.Entry {
    Checkpoint.Entry(name: "t", info: try TensorInfo(dtype: .uint8, shape: [count])) {
      range, target in
      for offset in range {
        target.storeBytes(
          of: UInt8(truncatingIfNeeded: offset), toByteOffset: offset - range.lowerBound,
          as: UInt8.self)
      }
    }
  }

  @Test(arguments: [0, 1, 6, 7, 8, 21, 22])
  func `chunks cover a tensor once and in order`(count: Int) throws {
    var buffer = ChunkBuffer(capacity: 7)
    var next = 0
    try counting(count).forEachChunk(using: &buffer) { offset, bytes in
      #expect(offset == next)
      for index in 0..<bytes.byteCount {
        #expect(
          unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == UInt8(offset + index))
      }
      next += bytes.byteCount
    }
    #expect(next == count)
  }

  @Test func `an error while reading names the tensor`() throws {
    let entry = Checkpoint.Entry(
      name: "h.w", info: try TensorInfo(dtype: .uint8, shape: [1])
    ) { _, _ in throw CheckpointError(.malformed, "found nothing", offset: 9) }
    var buffer = ChunkBuffer(capacity: 1)
    let error = #expect(throws: CheckpointError.self) { _ = try entry.read(0, 1, using: &buffer) }
    #expect(error?.description == "tensor 'h.w' at byte 9: found nothing")
  }

  @Test(arguments: [1, 2, 5])
  func `a concurrent map keeps order and width`(width: Int) async throws {
    let busy = Mutex((now: 0, most: 0))
    let squares = try await concurrentMap(Array(0..<50), width: width) { item in
      busy.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      defer { busy.withLock { $0.now -= 1 } }
      return item * item
    }
    #expect(squares == (0..<50).map { $0 * $0 })
    #expect(busy.withLock { $0.most } <= width)
  }
}
