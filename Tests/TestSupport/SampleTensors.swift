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

/// Bytes of ``SplitMix``.
public func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SplitMix(seed: seed)
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + 8)
  while bytes.count < count {
    let word = random.next()
    unsafe withUnsafeBytes(of: word.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}
