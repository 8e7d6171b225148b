public import TensorCore

extension Checkpoint.Entry {
  /// A tensor of noise that is the same at every run; Booleans are 0 or 1.
  public init(
    noise name: TensorName, _ dtype: DType, _ shape: [Int], seed: UInt64 = 1,
    alias: TensorName? = nil
  ) throws {
    let info = try TensorInfo(dtype: dtype, shape: shape)
    var bytes = noise(info.byteCount, seed: seed)
    if dtype == .bool { bytes = bytes.map { $0 & 1 } }
    try self.init(memory: name, dtype, shape, bytes, alias: alias)
  }
}

/// Bytes of the generator SplitMix64 (Steele, Lea and Flood 2014).
public func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var state = seed
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + 8)
  while bytes.count < count {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    word ^= word >> 31
    unsafe withUnsafeBytes(of: word.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}
