public import TensorCore

/// Comparing two tensors byte by byte, in bounded memory.
extension Checkpoint.Entry {
  /// Whether type, shape and every byte are the other's; reads both, to the first difference.
  public func hasBytes(of other: Self) throws -> Bool {
    guard info == other.info else { return false }
    let size = min(info.byteCount, ChunkBuffer.standardSize)
    var mine = ChunkBuffer(capacity: size)
    var theirs = ChunkBuffer(capacity: size)
    for offset in stride(from: 0, to: info.byteCount, by: ChunkBuffer.standardSize) {
      let count = min(ChunkBuffer.standardSize, info.byteCount - offset)
      let left = try read(offset, count, using: &mine)
      let right = try other.read(offset, count, using: &theirs)
      guard left.isByteEqual(to: right) else { return false }
    }
    return true
  }
}
