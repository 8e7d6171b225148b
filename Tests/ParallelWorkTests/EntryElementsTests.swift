import ParallelWork
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite struct EntryElementsTests {
  @Test func `arrays become tensors and come back, whatever the size`() throws {
    for count in [0, 1, 262_143, 262_144, 262_145] {
      let floats = (0..<count).map { Float($0) * 0.1 - 7 }
      let entry = try Checkpoint.Entry("x", shape: [count], floats)
      #expect(try entry.floats() == floats)
      #expect(try entry.doubles() == floats.map(Double.init))
      let doubles = floats.map { Double($0) / 3 }
      let wide = try Checkpoint.Entry("y", shape: [1, count], doubles)
      #expect(wide.info.dtype == .float64 && wide.info.shape == [1, count])
      #expect(try wide.doubles() == doubles && wide.floats() == doubles.map { Float($0) })
    }
    // The bytes are those of numpy.float32([1, -2]).
    let bytes = try Checkpoint.Entry("z", shape: [2], [1, -2] as [Float]).allBytes()
    #expect(bytes == [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
  }

  @Test func `elements of other types are read as numbers`() throws {
    let half = try Checkpoint.Entry(memory: "h", .float16, [2], [0x00, 0x3c, 0xff, 0x7b])
    #expect(try half.floats() == [1, 65504])
    let complex = try Checkpoint.Entry(
      memory: "c", .complex64, [1], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
    #expect(try complex.doubles() == [1, -2])
    let flags = try Checkpoint.Entry(memory: "b", .bool, [3], [1, 0, 1])
    #expect(try flags.floats() == [1, 0, 1])
  }

  @Test func `a wrong number of elements is refused with the tensor's name`() {
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint.Entry("w", shape: [2, 2], [1, 2, 3] as [Float])
    }
    #expect(error?.tensor == "w" && error?.message.contains("expected 4 elements") == true)
  }

  @Test func `quantized blocks have no values`() throws {
    let blocks = try Checkpoint.Entry(memory: "q", .q2k, [256], [UInt8](repeating: 0, count: 84))
    let error = #expect(throws: CheckpointError.self) { try blocks.floats() }
    #expect(error?.code == .unsupported)
  }

  @Test func `progress counts bytes up to all of them, and errors pass through`() async throws {
    let checkpoint = Checkpoint(
      entries: try (0..<5).map {
        try .init(memory: TensorName("t\($0)"), [1, 2])
      })
    var last: WorkProgress?
    let work = checkpoint.progress { checkpoint in
      for entry in checkpoint.entries { _ = try entry.floats() }
    }
    for try await progress in work {
      #expect(progress.done >= last?.done ?? 0)
      last = progress
    }
    #expect(last?.done == 40 && last?.total == 40 && last?.fraction == 1)

    let failing = checkpoint.progress { _ in throw CheckpointError(.missing, "gone") }
    let error = await #expect(throws: CheckpointError.self) {
      for try await _ in failing { Issue.record("nothing was read") }
      await Task.yield()
    }
    #expect(error?.message == "gone")
  }

  @Test func `leaving the loop cancels the work`() async throws {
    let checkpoint = Checkpoint(entries: [try .init(memory: "t", [1])])
    let (ended, end) = AsyncStream.makeStream(of: Bool.self)
    for try await _ in checkpoint.progress(of: { checkpoint in
      _ = try checkpoint.entries[0].floats()
      while !Task.isCancelled { await Task.yield() }
      end.yield(Task.isCancelled)
      end.finish()
    }) { break }
    for await wasCancelled in ended { #expect(wasCancelled) }
  }
}
