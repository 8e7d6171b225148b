import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Tensors that change a little from step to step, as training changes them.
enum DriftSample {
  /// Sizes in bytes about the boundaries of chunks.
  static let sizes = [0, 8, 16, 1000, (1 << 20) - 8, 1 << 20, (1 << 20) + 8, (2 << 20) + 24]

  /// Bytes of a tensor after a number of steps: words that drift, some of which stay.
  static func bytes(_ dtype: DType, _ count: Int, step: Int, seed: UInt64 = 1) -> [UInt8] {
    let width = dtype.element.wordWidth
    var random = SplitMix(seed: seed)
    var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    var drift = SplitMix(seed: seed &+ 77)
    for start in stride(from: 0, to: count - count % width, by: width) {
      let change = drift.next()
      if change % 3 == 0 { continue }
      var carry = Int(change >> 8 & 0x3f) * step
      for place in start..<start + width {
        carry += Int(bytes[place])
        bytes[place] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
    }
    return bytes
  }

  /// An entry of these bytes, one dimension.
  static func entry(
    _ name: TensorName, _ dtype: DType, _ count: Int, step: Int, seed: UInt64 = 1
  ) throws -> Checkpoint.Entry {
    try .init(
      memory: name, dtype, [count / dtype.byteWidth],
      bytes(dtype, count, step: step, seed: seed))
  }

  /// A checkpoint of all sizes in some types, with a frozen tensor, a tied one, and values.
  static func checkpoint(step: Int) throws -> Checkpoint {
    var entries: [Checkpoint.Entry] = [try entry("frozen", .float32, 1 << 21, step: 0, seed: 9)]
    for dtype in [DType.float32, .bfloat16, .int8, .float64] {
      for size in sizes where dtype == .float32 || size < 2000 {
        entries.append(try entry(TensorName("\(dtype.rawValue).\(size)"), dtype, size, step: step))
      }
    }
    entries.append(
      try .init(
        memory: "tied", .float32, [250], bytes(.float32, 1000, step: step), alias: "F32.1000"))
    return Checkpoint(
      entries: entries, modules: [ModuleLabel(path: "", kind: "Net", arguments: "\(step)")],
      values: [.init("epoch", .integer(step))], metadata: ["note": "step \(step)"])
  }

  /// Expects that all of two checkpoints is equal.
  static func expectEqual(_ found: Checkpoint, _ expected: Checkpoint) throws {
    #expect(found.entries.map(\.name) == expected.entries.map(\.name))
    #expect(found.entries.map(\.info) == expected.entries.map(\.info))
    #expect(found.entries.map(\.alias) == expected.entries.map(\.alias))
    #expect(found.modules == expected.modules)
    #expect(Set(found.values.map(\.name)) == Set(expected.values.map(\.name)))
    for named in expected.values {
      #expect(found.values.first { $0.name == named.name } == named)
    }
    for (left, right) in zip(found.entries, expected.entries) {
      #expect(try left.hasBytes(of: right), "\(left.name)")
      // Reads that begin and end within chunks.
      #expect(try left.allBytes(step: 300_000) == right.allBytes(step: 300_000), "\(left.name)")
    }
  }
}
