import ByteIO
import CKernels
import TensorCore
import TestSupport
import Testing

/// The code that parity consists of.
@Suite struct ReedSolomonTests {
  /// Bytes of rows, and how far they are apart.
  private static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  private static func parity(
    _ data: [UInt8], _ code: ReedSolomon, _ rows: ReedSolomon.Rows
  ) -> [UInt8] {
    [UInt8](count: code.shards * rows.count) { target in
      code.encode(data.rawBytes, rows, into: &target, stride: rows.count)
    }
  }

  @Test func `the example of the specification`() {
    let code = ReedSolomon(columns: 3, shards: 2)
    let rows = ReedSolomon.Rows(stride: 1, count: 1)
    #expect(Self.parity([1, 2, 3], code, rows) == [0xb0, 0x35])
    #expect((0..<3).map { ReedSolomon.factor(0, $0) } == [0x1c, 0x41, 0x1a])
  }

  /// Multiplication as the definition has it.
  private static func product(_ one: UInt8, _ other: UInt8) -> UInt8 {
    var (sum, term) = (0, Int(one))
    for bit in 0..<8 {
      if other >> bit & 1 == 1 { sum ^= term }
      term <<= 1
      if term & 0x100 != 0 { term ^= 0x11b }
    }
    return UInt8(sum)
  }

  @Test func `products are those of the definition`() {
    for one in 0...255 {
      for other in 0...255 {
        let (one, other) = (UInt8(one), UInt8(other))
        if ReedSolomon.product(one, other) != Self.product(one, other) {
          Issue.record("\(one) times \(other)")
        }
      }
    }
  }

  @Test(arguments: [1, 31, 32, 63, 64, 65, 127, 128, 511, 513, 1025])
  func `every set of instructions gives the same bytes`(count: Int) {
    var tables = [UInt8](repeating: 0, count: 8192)
    unsafe tables.withUnsafeMutableBufferPointer { unsafe ckpt_parity_tables($0.baseAddress) }
    for (columns, shards) in [(1, 1), (5, 2), (9, 13), (129, 127)] {
      let stride = count + 3
      let data = Self.noise(columns * stride, seed: 1)
      let factors = Self.noise(columns * shards, seed: 2)
      var expected = [UInt8](repeating: 0, count: shards * stride)
      for shard in 0..<shards {
        for index in 0..<count {
          for column in 0..<columns {
            let factor = factors[shard * columns + column]
            expected[shard * stride + index] ^=
              tables[32 * Int(factor) + Int(data[column * stride + index] & 15)]
              ^ tables[32 * Int(factor) + 16 + Int(data[column * stride + index] >> 4)]
          }
        }
      }
      for set in 0...ckpt_parity_best().rawValue {
        var found = [UInt8](repeating: 0, count: shards * stride)
        unsafe data.withUnsafeBufferPointer { bytes in
          var sources = unsafe ckpt_parity_sources(
            bytes: bytes.baseAddress, stride: stride, columns: columns, count: count)
          unsafe found.withUnsafeMutableBufferPointer { found in
            unsafe ckpt_parity_sum(
              ckpt_parity_set(rawValue: set), tables, factors, &sources, found.baseAddress, stride,
              shards)
          }
        }
        #expect(found == expected, "set \(set), \(columns) columns, \(shards) shards")
      }
    }
  }

  @Test func `any lost columns are restored from as many shards`() {
    var random = SplitMix(seed: 4)
    let rows = ReedSolomon.Rows(stride: 40, count: 37)
    for (columns, shards) in [(2, 1), (3, 3), (20, 7), (231, 25), (128, 128)] {
      let code = ReedSolomon(columns: columns, shards: shards)
      let data = Self.noise(columns * rows.stride, seed: UInt64(columns))
      let parity = Self.parity(data, code, rows)
      for _ in 0..<3 {
        var left = Array(0..<columns)
        var shuffled = Array(0..<shards)
        var (lost, intact): ([Int], [Int]) = ([], [])
        for _ in 0..<(1 + random.below(min(columns, shards))) {
          lost.append(left.remove(at: random.below(left.count)))
          intact.append(shuffled.remove(at: random.below(shuffled.count)))
        }
        var sources = data
        for column in lost {
          for index in 0..<rows.count { sources[column * rows.stride + index] = 0xee }
        }
        for shard in intact {
          sources += parity[shard * rows.count..<(shard + 1) * rows.count] + [0, 0, 0]
        }
        let factors = code.restoration(of: lost, from: intact)
        let found = [UInt8](count: lost.count * rows.count) { target in
          ReedSolomon.sum(
            factors, columns + lost.count, sources.rawBytes, rows, into: &target,
            stride: rows.count)
        }
        let expected = lost.flatMap {
          data[$0 * rows.stride..<$0 * rows.stride + rows.count]
        }
        #expect(found == expected, "\(columns) columns, lost \(lost.count)")
      }
    }
  }
}
