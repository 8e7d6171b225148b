import ByteIO
import TensorCore

/// Looking for marks from the end of a file.
extension ByteSource {
  /// Where the last occurrence of a short mark begins that ends before byte `end`, at byte `start` or after
  /// it.
  func lastMark(
    _ mark: [UInt8], before end: Int, from start: Int = 0
  ) throws(CheckpointError) -> Int? {
    var upper = end - 1
    // Most marks are near the place where the search begins.
    var blockSize = 1 << 12
    while upper >= start + mark.count {
      let lower = max(upper - blockSize, start)
      let bytes = try bytes(lower..<upper)
      if let found = bytes.lastIndex(of: mark) { return lower + found }
      // A mark may lie across two blocks.
      upper = lower == start ? start : lower + mark.count - 1
      blockSize = min(2 * blockSize, NativeLayout.chunkSize)
    }
    return nil
  }
}

extension [UInt8] {
  /// Where a short sequence occurs last.
  fileprivate func lastIndex(of mark: [UInt8]) -> Int? {
    guard count >= mark.count, let first = mark.first else { return nil }
    var index = count - mark.count
    while index >= 0 {
      if self[index] == first, self[index..<index + mark.count].elementsEqual(mark) { return index }
      index -= 1
    }
    return nil
  }
}
