import TensorCore

/// Quantiles of numbers that are seen twice, in bounded memory.
///
/// Few numbers are kept and sorted. Of many, the first pass counts the upper 16 bits of each, as bits
/// that are ordered like the numbers; the second counts the lower 16 bits of those that have the upper
/// bits of a wanted one. So the numbers of `float32` and of narrower types are found exactly; of wider
/// ones, the upper 32 bits are.
struct OrderStatistics {
  /// Tensors of up to this many numbers are sorted in memory.
  private static let maxKept = 1 << 15

  private let isSingle: Bool
  private var kept: [Double]?
  private var upper: [Int] = []
  private var total = 0
  /// For each of the upper bits, which of the counts below are theirs; -1 if none.
  private var slots: [Int16] = []
  private var lower: [[Int]] = []

  init(of info: TensorInfo) {
    let parts = info.dtype.isComplex ? 2 : 1
    isSingle = info.dtype.byteWidth <= (info.dtype.isInteger ? 2 : 4 * parts)
    if info.elementCount <= Self.maxKept / parts {
      kept = []
    } else {
      upper = [Int](repeating: 0, count: 1 << 16)
    }
  }

  /// Takes finite numbers of the first pass.
  mutating func add(_ values: [Double]) {
    total += values.count
    if kept != nil {
      kept?.append(contentsOf: values)
      return
    }
    for value in values { upper[Int(key(value) >> 16)] += 1 }
  }

  /// Decides which numbers are wanted.
  mutating func beginRefining(_ shares: [Double]) {
    if kept != nil {
      kept?.sort()
      return
    }
    slots = [Int16](repeating: -1, count: 1 << 16)
    for share in shares {
      let (rank, next, _) = place(share)
      for rank in [rank, next] {
        let bits = find(rank, in: upper).index
        if slots[bits] >= 0 { continue }
        slots[bits] = Int16(lower.count)
        lower.append([Int](repeating: 0, count: 1 << 16))
      }
    }
  }

  /// Takes the same numbers again.
  mutating func refine(_ values: [Double]) {
    if kept != nil { return }
    for value in values {
      let key = key(value)
      let slot = Int(slots[Int(key >> 16)])
      if slot >= 0 { lower[slot][Int(key & 0xffff)] += 1 }
    }
  }

  /// The quantiles, interpolated between neighbors; empty if there were no numbers.
  func quantiles(_ shares: [Double]) -> [Double] {
    if total == 0 { return [] }
    return shares.map { share in
      let (rank, next, part) = place(share)
      let (low, high) = (number(rank), number(next))
      // As NumPy has it, so that rounding is the same.
      return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part)
    }
  }

  /// The two ranks that a share lies between, from 0, and how far it is from the first.
  private func place(_ share: Double) -> (rank: Int, next: Int, part: Double) {
    let position = share * Double(max(total - 1, 0))
    let rank = min(Int(position), max(total - 1, 0))
    return (rank, min(rank + 1, max(total - 1, 0)), position - Double(rank))
  }

  private func number(_ rank: Int) -> Double {
    if let kept { return kept[rank] }
    let (bits, before) = find(rank, in: upper)
    let counts = lower[Int(slots[bits])]
    let (low, _) = find(rank - before, in: counts)
    return number(of: UInt32(bits) << 16 | UInt32(low))
  }

  /// Where the number of a rank is among counts, and how many are before that.
  private func find(_ rank: Int, in counts: [Int]) -> (index: Int, before: Int) {
    var before = 0
    for (index, count) in counts.enumerated() {
      if rank < before + count { return (index, before) }
      before += count
    }
    return (counts.count - 1, before)
  }

  /// Bits in the order of the numbers, which are those of the number with the sign inverted, and of
  /// negative ones with all bits inverted.
  ///
  /// Both zeros are one.
  private func key(_ value: Double) -> UInt32 {
    if isSingle {
      let bits = Float(value + 0).bitPattern
      return bits >> 31 == 1 ? ~bits : bits | 1 << 31
    }
    let bits = (value + 0).bitPattern
    return UInt32((bits >> 63 == 1 ? ~bits : bits | 1 << 63) >> 32)
  }

  /// The number, or the middle of those that have these bits.
  private func number(of key: UInt32) -> Double {
    if isSingle {
      return Double(Float(bitPattern: key >> 31 == 1 ? key & ~(1 << 31) : ~key))
    }
    let ordered = UInt64(key) << 32 | 1 << 31
    return Double(bitPattern: ordered >> 63 == 1 ? ordered & ~(1 << 63) : ~ordered)
  }
}
