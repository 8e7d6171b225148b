public import ParallelWork
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
      unsafe target.withUnsafeMutableBytes { target in
        unsafe target.copyBytes(from: bytes[range])
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

  /// All bytes of the tensor, read in steps of `step`.
  public func allBytes(step: Int = ChunkBuffer.standardSize) throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = ChunkBuffer(capacity: step)
    try forEachChunk(using: &buffer) { _, bytes in
      unsafe bytes.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
    }
    return all
  }
}
