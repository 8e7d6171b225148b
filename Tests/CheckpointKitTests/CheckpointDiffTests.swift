import CheckpointKit
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite struct CheckpointDiffTests {
  private func diff(
    _ left: [Checkpoint.Entry], _ right: [Checkpoint.Entry], map: [TensorName: TensorName] = [:],
    tolerance: TensorDifference.Tolerance = .none
  ) async throws -> CheckpointDiff {
    try await CheckpointDiff(
      from: Checkpoint(entries: left), to: Checkpoint(entries: right), map: map,
      tolerance: tolerance, threads: 2)
  }

  @Test func `a real element is compared as a complex one without an imaginary part`() async throws
  {
    // numpy.complex64([1, 2 + 3j]) and numpy.float32([1, 2])
    let numbers: [Float] = [1, 0, 2, 3]
    let bytes = try Checkpoint.Entry(memory: "w", numbers).allBytes()
    let complex = Checkpoint(entries: [try .init(memory: "w", .complex64, [2], bytes)])
    let real = Checkpoint(entries: [try .init(memory: "w", [1, 2])])
    for (left, right) in [(complex, real), (real, complex)] {
      let diff = try await CheckpointDiff(from: left, to: right, threads: 1)
      let change = try #require(diff.changes.first)
      #expect(change.kind == .retyped)
      #expect(change.difference?.differingCount == 1 && change.difference?.maxAbsolute == 3)
    }
  }

  @Test func `each kind of change is told apart, in the first's order`() async throws {
    let left = [
      try Checkpoint.Entry(memory: "same", [1, 2]), try .init(memory: "old.weight", [3, 4, 5]),
      try .init(memory: "gone", [6]), try .init(memory: "shape", [1, 2], shape: [1, 2]),
      try .init(memory: "type", [1]), try .init(memory: "values", [1, 2, 3, 4]),
    ]
    let right = [
      try Checkpoint.Entry(memory: "values", [1, 2.5, 3, 4]), try .init(memory: "same", [1, 2]),
      try .init(memory: "new.weight", [3, 4, 5]),
      try .init(memory: "shape", [1, 2], shape: [2, 1]),
      try .init(memory: "type", .bfloat16, [1], [0x80, 0x3f]), try .init(memory: "more", [7]),
    ]
    let diff = try await diff(left, right)
    #expect(
      diff.changes.map { "\($0.kind) \($0.name)" } == [
        "renamed old.weight", "removed gone", "reshaped shape", "retyped type", "changed values",
        "added more",
      ])
    #expect(diff.identicalCount == 1)
    #expect(diff.changes[0].newName == "new.weight")
    #expect(diff.changes[3].difference?.differingCount == 0)
    let difference = try #require(diff.changes[4].difference)
    #expect(difference.differingCount == 1)
    #expect(difference.elementCount == 4)
    #expect(difference.maxAbsolute == 0.5)
    #expect(difference.maxULP == 1 << 21)
    #expect(abs(try #require(difference.relativeL2) - 0.5 / 30.0.squareRoot()) < 1e-15)
  }

  @Test func `chunks with equal chaining values are read from one side`() async throws {
    let size = 5 << 19
    let bytes = noise(size, seed: 1).map { $0 & 0x3f }
    var other = bytes
    other[3 << 19] ^= 1
    let read = Mutex<[Range<Int>]>([])
    func entry(_ bytes: [UInt8], isWatched: Bool) throws -> Checkpoint.Entry {
      let chunks = stride(from: 0, to: size, by: 1 << 20).map {
        Array(bytes[$0..<min($0 + 1 << 20, size)])
      }
      let values = chunks.enumerated().flatMap {
        TreeDigest.value(of: $1.rawBytes, chunk: $0)
      }
      var entry = try Checkpoint.Entry(
        name: "w", info: TensorInfo(dtype: .float32, shape: [size / 4]),
        storedDigest: TreeDigest.digest(merging: values)
      ) { range, target in
        if isWatched { read.withLock { $0.append(range) } }
        target.copyBytes(from: bytes.rawBytes.extracting(range))
      }
      entry.preferredReadSize = 1 << 20
      entry.chainingValues = values
      return entry
    }
    let plain = try await diff(
      [.init(memory: "w", .float32, [size / 4], bytes)],
      [.init(memory: "w", .float32, [size / 4], other)])
    let found = try await diff([entry(bytes, isWatched: false)], [entry(other, isWatched: true)])
    #expect(found.changes.map(\.difference) == plain.changes.map(\.difference))
    #expect(found.changes.first?.difference?.differingCount == 1)
    let touched = read.withLock { $0 }
    #expect(!touched.isEmpty && touched.allSatisfy { (1 << 20..<2 << 20).contains($0) })
  }

  @Test func `equal means bit for bit without a tolerance, and near with one`() async throws {
    let left = [try Checkpoint.Entry(memory: "w", [0, 1, .nan, .infinity])]
    let right = [try Checkpoint.Entry(memory: "w", [-0.0, 1.0000001, .nan, .infinity])]
    let exact = try await diff(left, right)
    #expect(exact.changes.first?.difference?.differingCount == 2)
    #expect(exact.changes.first?.difference?.maxULP == 1)
    let near = try await diff(left, right, tolerance: .init(relative: 1e-6))
    #expect(near.changes.isEmpty)
    #expect(near.identicalCount == 1)
    let far = try await diff(
      left, [try .init(memory: "w", [0, 1, 2, 3])], tolerance: .init(relative: 1, absolute: 1))
    let difference = try #require(far.changes.first?.difference)
    #expect(difference.differingCount == 2)
    #expect(difference.maxAbsolute?.isNaN == true)
    #expect(difference.noLongerNaNCount == 1 && difference.noLongerInfiniteCount == 1)
  }

  @Test func `no tolerance takes infinity for anything else`() async throws {
    let left = [try Checkpoint.Entry(memory: "w", [1, .infinity, .infinity, -.infinity])]
    let right = [try Checkpoint.Entry(memory: "w", [.infinity, 1, -.infinity, -.infinity])]
    let diff = try await diff(left, right, tolerance: .init(relative: 1, absolute: .infinity))
    #expect(diff.changes.first?.difference?.differingCount == 3)
  }

  @Test func `a map pairs other names`() async throws {
    let left = [try Checkpoint.Entry(memory: "a.w", [1]), try .init(memory: "b.w", [2])]
    let right = [try Checkpoint.Entry(memory: "x", [1]), try .init(memory: "b.w", [3])]
    let diff = try await diff(left, right, map: ["a.w": "x"])
    #expect(diff.changes.map(\.name) == ["b.w"])
    #expect(diff.identicalCount == 1)
  }

  @Test func `fresh biases are not taken for renamed unless their last name agrees`() async throws {
    let left = [
      try Checkpoint.Entry(memory: "a.bias", [0, 0]), try .init(memory: "a.shift", [0, 0]),
    ]
    let right = [
      try Checkpoint.Entry(memory: "b.bias", [0, 0]), try .init(memory: "b.mean", [0, 0]),
    ]
    let diff = try await diff(left, right)
    #expect(
      diff.changes.map { "\($0.kind) \($0.name)" } == [
        "renamed a.bias", "removed a.shift", "added b.mean",
      ])
  }

  @Test func `a change in the last chunk of a large tensor is found and measured`() async throws {
    let count = (1 << 18) + 3
    var values = [Float](repeating: 1, count: count)
    let left = [try Checkpoint.Entry(memory: "w", values)]
    values[count - 1] = 3
    let diff = try await diff(left, [try .init(memory: "w", values)])
    let difference = try #require(diff.changes.first?.difference)
    #expect(difference.differingCount == 1)
    #expect(difference.maxAbsolute == 2)
    #expect(abs(try #require(difference.relativeL2) - 2 / Double(count).squareRoot()) < 1e-12)
  }

  @Test func `complex elements count once`() async throws {
    let zero = [UInt8](repeating: 0, count: 16)
    var both = zero
    for index in [3, 7] { both[index] = 0x3f }
    let diff = try await diff(
      [try .init(memory: "z", .complex64, [2], zero)],
      [try .init(memory: "z", .complex64, [2], both)])
    #expect(diff.changes.first?.difference?.differingCount == 1)
    #expect(diff.changes.first?.difference?.elementCount == 2)
  }

  /// A large tensor of several pieces, some values of which are replaced.
  private func large(_ changes: [Int: Double] = [:]) throws -> Checkpoint.Entry {
    let count = (3 << 20) - 5
    var bytes = [UInt8](repeating: 0, count: count * 8)
    for (index, value) in changes {
      for place in 0..<8 {
        bytes[index * 8 + place] = UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * place))
      }
    }
    return try Checkpoint.Entry(memory: "large", .float64, [count], bytes)
  }

  @Test func `a large tensor is measured alike by any number of tasks`() async throws {
    let last = (3 << 20) - 6
    let left = try large([0: 3, 1 << 20: 0.1, last: 4])
    let right = try large([0: 3, 1 << 20: 0.3, last: 4, 1_048_575: -1])
    var found: Set<TensorDifference> = []
    for threads in [1, 2, 5] {
      let diff = try await CheckpointDiff(
        from: Checkpoint(entries: [left]), to: Checkpoint(entries: [right]), threads: threads)
      found.insert(try #require(diff.changes.first?.difference))
    }
    let difference = try #require(found.first)
    #expect(found.count == 1)
    #expect(difference.elementCount == last + 1)
    #expect(difference.differingCount == 2)
    #expect(difference.maxAbsolute == 1)
    #expect(abs(try #require(difference.relativeL2) - (1.04 / 25.01).squareRoot()) < 1e-15)
    #expect(try difference == TensorDifference(between: left, and: right))
  }

  @Test func `equal digests are believed and no byte is read`() async throws {
    let info = try TensorInfo(dtype: .float32, shape: [1 << 20])
    let digest = try #require(Digest(hexadecimal: String(repeating: "5a", count: 32)))
    func unread(_ name: TensorName, _ digest: Digest) -> Checkpoint.Entry {
      Checkpoint.Entry(name: name, info: info, storedDigest: digest) { _, _ in
        throw CheckpointError(.system, "read")
      }
    }
    let entries = [unread("a", digest), unread("b", digest)]
    let diff = try await diff(entries, entries)
    #expect(diff.changes.isEmpty && diff.identicalCount == 2)
    let other = try #require(Digest(hexadecimal: String(repeating: "5b", count: 32)))
    await #expect(throws: CheckpointError.self) {
      try await self.diff(entries, [unread("a", digest), unread("b", other)])
    }
  }

  @Test func `replacements that change nothing are named`() async throws {
    let old = [
      try Checkpoint.Entry(memory: "same", [1, .nan]), try .init(memory: "zero", [0]),
      try .init(memory: "type", [1]), try .init(memory: "last", [1, 2, 3]),
    ]
    let new = [
      try Checkpoint.Entry(memory: "same", [1, .nan]), try .init(memory: "zero", [-0.0]),
      try .init(memory: "type", .bfloat16, [1], [0x80, 0x3f]),
      try .init(memory: "last", [1, 2, 4]),
    ]
    let pairs = zip(old, new).map { (old: $0, new: $1) }
    #expect(try await CheckpointDiff.unchanged(by: pairs, threads: 2) == ["same"])
  }
}
