public import TensorCore

extension Checkpoint.Entry {
  /// A tensor whose bytes are in memory.
  public init(
    _ name: TensorName, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8], alias: TensorName? = nil
  ) throws {
    let info = try TensorInfo(dtype: dtype, shape: shape)
    precondition(info.byteCount == bytes.count)
    self.init(name: name, info: info, alias: alias) { range, target in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe target.copyBytes(from: bytes[range])
      }
    }
  }

  /// A tensor of noise that is the same at every run; Booleans are 0 or 1.
  public init(
    noise name: TensorName, _ dtype: DType, _ shape: [Int], seed: UInt64 = 1,
    alias: TensorName? = nil
  ) throws {
    let info = try TensorInfo(dtype: dtype, shape: shape)
    var bytes = noise(info.byteCount, seed: seed)
    if dtype == .bool { bytes = bytes.map { $0 & 1 } }
    try self.init(name, dtype, shape, bytes, alias: alias)
  }

  /// All bytes of the tensor, read in steps of `step`.
  public func allBytes(step: Int = 1 << 20) throws -> [UInt8] {
    var buffer = ChunkBuffer(capacity: step)
    var all: [UInt8] = []
    all.reserveCapacity(info.byteCount)
    try forEachChunk(using: &buffer) { _, bytes in
      unsafe bytes.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
    }
    return all
  }
}

/// Bytes of the generator SplitMix64 (Steele, Lea and Flood 2014).
public func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var state = seed
  return [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
    var word: UInt64 = 0
    var index = 0
    while index < count {
      if index & 7 == 0 {
        state &+= 0x9e37_79b9_7f4a_7c15
        word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        word ^= word >> 31
      }
      unsafe bytes[index] = UInt8(truncatingIfNeeded: word)
      word >>= 8
      index += 1
    }
    initialized = count
  }
}
