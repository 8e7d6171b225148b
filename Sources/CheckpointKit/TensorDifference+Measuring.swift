import ParallelWork
public import TensorCore

/// Reading two tensors, and measuring where their bytes differ.
extension TensorDifference {
  /// Values that are decoded at once: they stay in the processor's cache.
  private static let stepSize = ChunkBuffer.standardSize / 16

  /// Compares two tensors of equal shape; their types may differ, their values are then compared.
  ///
  /// - Throws: `CheckpointError` when a tensor cannot be read.
  public init(
    between left: Checkpoint.Entry, and right: Checkpoint.Entry, tolerance: Tolerance = .none
  ) throws {
    let range = 0..<left.info.byteCount
    self = try Self.measured(left, right, range, tolerance) ?? Self(equal: range, of: left)
  }

  /// Compares a part, given in bytes of the left tensor, of whole elements; `nil` where types and all
  /// bytes are equal, and nothing was measured.
  ///
  /// Bytes are compared first, unless `differ` says that the tensors differ somewhere, and the norms of
  /// all parts are wanted. What is equal before the first difference is read again on one side, for the
  /// norms; everything else is read once.
  static func measured(
    _ left: Checkpoint.Entry, _ right: Checkpoint.Entry, _ range: Range<Int>,
    _ tolerance: Tolerance, differ: Bool = false
  ) throws -> TensorDifference? {
    precondition(left.info.shape == right.info.shape, "tensors of different shape")
    let sameType = left.info.dtype == right.info.dtype
    guard left.info.dtype.isComputable, right.info.dtype.isComputable else {
      let found = try countedBlocks(left, right, range)
      return sameType && found.differingCount == 0 ? nil : found
    }
    if sameType, range.isEmpty { return nil }
    var found = Self(count: range.count / left.info.dtype.byteWidth, left.info.dtype, sameType)
    var isEqual = sameType && !differ
    let (width, otherWidth) = (left.info.dtype.byteWidth, right.info.dtype.byteWidth)
    let memory = PieceMemory.pool.acquire()
    defer { PieceMemory.pool.release(memory) }
    var loops = ElementLoops(left.info.dtype, right.info.dtype, tolerance)
    let size = max(left.preferredReadSize / width, right.preferredReadSize / otherWidth, 1)
    let parts = (range.lowerBound / width..<range.upperBound / width).cut(at: size).flatMap {
      let bytes = $0.lowerBound * width..<$0.upperBound * width
      return sameType ? left.parts(bytes, against: right) : [(bytes, false)]
    }
    for (bytes, isKnown) in parts {
      if isKnown {
        if !isEqual { try found.addEqual(bytes, of: left, &memory.value, &loops) }
        continue
      }
      let part = bytes.lowerBound / width..<bytes.upperBound / width
      try memory.value.read(
        bytes, of: left, and: part.lowerBound * otherWidth..<part.upperBound * otherWidth, of: right
      ) { a, b in
        if isEqual {
          if a.isByteEqual(to: b) { return }
          isEqual = false
          try found.addEqual(range.lowerBound..<bytes.lowerBound, of: left, &loops)
        }
        for step in (0..<part.count).cut(at: stepSize) {
          let a = a.extracting(step.lowerBound * width..<step.upperBound * width)
          let b = b.extracting(step.lowerBound * otherWidth..<step.upperBound * otherWidth)
          loops.add(a, b, to: &found)
        }
      }
    }
    return isEqual ? nil : found
  }

  /// The measures of bytes that are equal in both tensors, read from one.
  init(equal range: Range<Int>, of entry: Checkpoint.Entry) throws {
    let block = entry.info.dtype.block
    self.init(count: range.count / block.bytes * block.elements, entry.info.dtype, true)
    guard entry.info.dtype.isComputable else {
      maxAbsolute = nil
      return
    }
    var loops = ElementLoops(entry.info.dtype, entry.info.dtype, .none)
    try addEqual(range, of: entry, &loops)
  }

  private init(count: Int, _ dtype: DType, _ sameType: Bool) {
    self.init()
    elementCount = count
    if sameType && dtype.isFloatingPoint { maxULP = 0 }
    if !sameType { beyondRoundingCount = 0 }
  }

  private mutating func addEqual(
    _ range: Range<Int>, of entry: Checkpoint.Entry, _ loops: inout ElementLoops
  ) throws {
    if range.isEmpty { return }
    let memory = PieceMemory.pool.acquire()
    defer { PieceMemory.pool.release(memory) }
    for part in range.cut(at: max(entry.preferredReadSize, 1)) {
      try addEqual(part, of: entry, &memory.value, &loops)
    }
  }

  /// Adds the norm of bytes that are known to be equal, and need not be read twice.
  private mutating func addEqual(
    _ range: Range<Int>, of entry: Checkpoint.Entry, _ memory: inout PieceMemory,
    _ loops: inout ElementLoops
  ) throws {
    try memory.read(range, of: entry) { bytes in
      for step in (0..<bytes.byteCount).cut(at: Self.stepSize) {
        let part = bytes.extracting(step)
        loops.addEqual(part, to: &self)
      }
    }
  }

  /// Compares tensors whose values cannot be read: block by block if they are of one type.
  private static func countedBlocks(
    _ left: Checkpoint.Entry, _ right: Checkpoint.Entry, _ range: Range<Int>
  ) throws -> TensorDifference {
    var found = Self()
    let (perBlock, width) = left.info.dtype.block
    (found.elementCount, found.maxAbsolute) = (range.count / width * perBlock, nil)
    found.differingCount = found.elementCount
    guard left.info == right.info else { return found }
    found.differingCount = 0
    let step = ChunkBuffer.standardSize / width * width
    var leftBuffer = ChunkBuffer(capacity: step)
    var rightBuffer = ChunkBuffer(capacity: step)
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      let count = min(step, range.upperBound - offset)
      let a = try left.read(offset, count, using: &leftBuffer)
      let b = try right.read(offset, count, using: &rightBuffer)
      if a.isByteEqual(to: b) { continue }
      for start in stride(from: 0, to: count, by: width)
      where !a.isByteEqual(to: b, in: start..<start + width) {
        found.differingCount += perBlock
      }
    }
    return found
  }
}

extension Checkpoint.Entry {
  /// Whether two tensors have one type, one shape and the same bytes; stops at the first difference.
  package func isIdentical(to other: Self) throws -> Bool {
    guard info == other.info else { return false }
    if let mine = storedDigest, let theirs = other.storedDigest { return mine == theirs }
    return try hasBytes(of: other)
  }
}
