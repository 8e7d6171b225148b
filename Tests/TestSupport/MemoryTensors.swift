public import TensorCore

extension Checkpoint.Entry {
  /// A tensor whose bytes lie in memory; `bytes` must be as many as dtype and shape need.
  public init(
    memory name: TensorName, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8],
    alias: TensorName? = nil
  ) throws {
    let info = try TensorInfo(dtype: dtype, shape: shape)
    precondition(bytes.count == info.byteCount, "\(bytes.count) bytes for \(info)")
    self.init(name: name, info: info, alias: alias) { range, target in
      for offset in range {
        target.storeBytes(
          of: bytes[offset], toByteOffset: offset - range.lowerBound, as: UInt8.self)
      }
    }
  }

  /// A float32 tensor of one dimension, unless `shape` says otherwise.
  public init(memory name: TensorName, _ values: [Float], shape: [Int]? = nil) throws {
    let bytes = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) }
    }
    try self.init(memory: name, .float32, shape ?? [values.count], bytes)
  }

  /// All bytes of the tensor.
  public func allBytes() throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = ChunkBuffer()
    try forEachChunk(using: &buffer) { _, bytes in
      for offset in 0..<bytes.byteCount {
        all.append(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
      }
    }
    return all
  }
}
