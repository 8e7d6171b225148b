import ParallelWork
public import TensorCore

/// How far two tensors of one shape are apart, measured in one pass over both.
public struct TensorDifference: Hashable, Sendable, Encodable {
  /// Elements compared.
  public internal(set) var elements = 0
  /// Elements that differ: in any bit, or by more than the tolerance if there is one.
  public internal(set) var differing = 0
  /// Elements that are NaN in the second tensor and not in the first.
  public internal(set) var becameNaN = 0
  /// Elements that are infinite in the second tensor and not in the first.
  public internal(set) var becameInfinite = 0
  /// Elements that are NaN in the first tensor and not in the second.
  public internal(set) var noLongerNaN = 0
  /// Elements that are infinite in the first tensor and not in the second.
  public internal(set) var noLongerInfinite = 0
  /// Largest `|a - b|` of the elements that differ: NaN where one of the two is NaN, infinite where
  /// one is infinite; `nil` for types whose values cannot be read.
  public internal(set) var maxAbsolute: Double? = 0
  /// Largest distance in units in the last place, where both have one floating-point type; `nil`
  /// where a number became NaN, or NaN a number, because there is no such distance.
  public internal(set) var maxULP: UInt64?
  var squaredDifference = 0.0
  var squaredReference = 0.0

  /// `‖a - b‖₂ / ‖a‖₂`, elements that count as equal taken as equal.
  ///
  /// NaN if `a` has an element that is not finite or `b` one that is NaN; infinite if `b` alone has an
  /// infinite one; `nil` if `a` is all zero or the values cannot be read, where nothing is relative.
  public var relativeL2: Double? {
    guard squaredReference != 0, maxAbsolute != nil else { return nil }
    return squaredReference.isFinite ? (squaredDifference / squaredReference).squareRoot() : .nan
  }

  /// Whether values became NaN or infinite, or ceased to be.
  public var changesSpecials: Bool {
    becameNaN + becameInfinite + noLongerNaN + noLongerInfinite > 0
  }

  /// How far two elements may be apart and still count as equal, as in `torch.allclose`.
  ///
  /// They are equal when `|a - b| ≤ absolute + relative · |b|`, or when both are NaN; an infinite
  /// one only equals itself. With both tolerances zero, equal means bit for bit.
  public struct Tolerance: Hashable, Sendable {
    /// Part of `|b|` by which values may differ, 0 or more (`--rtol`).
    public var relative = 0.0
    /// What values may differ by in any case, in the tensors' own units, 0 or more (`--atol`).
    public var absolute = 0.0

    /// Bit for bit.
    public static let none = Tolerance()

    /// A tolerance of both kinds.
    public init(relative: Double = 0, absolute: Double = 0) {
      self.relative = relative
      self.absolute = absolute
    }
  }

  private enum CodingKeys: String, CodingKey {
    case elements, differing, becameNaN, becameInfinite, noLongerNaN, noLongerInfinite
    case maxAbsolute, maxULP, relativeL2
  }

  /// Writes every measure; `null` stands for one that has no meaning for these tensors.
  public func encode(to encoder: any Encoder) throws {
    let isRead = maxAbsolute != nil
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(elements, forKey: .elements)
    try values.encode(differing, forKey: .differing)
    try values.encode(isRead ? becameNaN : nil, forKey: .becameNaN)
    try values.encode(isRead ? becameInfinite : nil, forKey: .becameInfinite)
    try values.encode(isRead ? noLongerNaN : nil, forKey: .noLongerNaN)
    try values.encode(isRead ? noLongerInfinite : nil, forKey: .noLongerInfinite)
    try values.encode(maxAbsolute, forKey: .maxAbsolute)
    try values.encode(maxULP, forKey: .maxULP)
    try values.encode(relativeL2, forKey: .relativeL2)
  }

  /// Compares two tensors of equal shape; their types may differ, their values are then compared.
  public init(
    between left: Checkpoint.Entry, and right: Checkpoint.Entry, tolerance: Tolerance = .none
  ) throws {
    try self.init(
      between: left, and: right, bytes: 0..<left.info.byteCount, tolerance: tolerance)
  }

  /// Nothing compared so far.
  init() {}

  /// Compares a part, given in bytes of the left tensor, of whole elements.
  init(
    between left: Checkpoint.Entry, and right: Checkpoint.Entry, bytes range: Range<Int>,
    tolerance: Tolerance
  ) throws {
    precondition(left.info.shape == right.info.shape, "tensors of different shape")
    elements = range.count / left.info.dtype.block.bytes * left.info.dtype.block.elements
    let sameType = left.info.dtype == right.info.dtype
    guard left.info.dtype.isComputable, right.info.dtype.isComputable else {
      try countBlocks(left, right, range)
      return
    }
    if sameType && left.info.dtype.isFloatingPoint { maxULP = 0 }
    let (width, otherWidth) = (left.info.dtype.byteWidth, right.info.dtype.byteWidth)
    let memory = PieceMemory.pool.acquire()
    defer { PieceMemory.pool.release(memory) }
    var values: [Double] = []
    var others: [Double] = []
    let size = max(left.preferredReadSize / width, right.preferredReadSize / otherWidth, 1)
    for part in (range.lowerBound / width..<range.upperBound / width).cut(at: size) {
      let bytes = part.lowerBound * width..<part.upperBound * width
      if sameType, left.isKnown(toEqual: right, in: bytes) {
        try addReference(bytes, of: left, &memory.value, &values)
        continue
      }
      try memory.value.read(
        part.lowerBound * width..<part.upperBound * width, of: left,
        and: part.lowerBound * otherWidth..<part.upperBound * otherWidth, of: right
      ) { a, b in
        // Values in small steps, which stay in the processor's cache.
        for step in (0..<part.count).cut(at: ChunkBuffer.standardSize / 16) {
          let a = a.extracting(step.lowerBound * width..<step.upperBound * width)
          let b = b.extracting(step.lowerBound * otherWidth..<step.upperBound * otherWidth)
          ElementConversion.decode(a, as: left.info.dtype, into: &values)
          if sameType, a.isByteEqual(to: b) {
            addReference(values[...])
            continue
          }
          ElementConversion.decode(b, as: right.info.dtype, into: &others)
          add(a, b, left.info.dtype, sameType: sameType, tolerance, values, others)
        }
      }
    }
  }

  /// Adds the norm of bytes that are known to be equal, and need not be read twice.
  private mutating func addReference(
    _ range: Range<Int>, of entry: Checkpoint.Entry, _ memory: inout PieceMemory,
    _ values: inout [Double]
  ) throws {
    try memory.read(range, of: entry) { bytes in
      for step in (0..<bytes.byteCount).cut(at: ChunkBuffer.standardSize / 16) {
        ElementConversion.decode(bytes.extracting(step), as: entry.info.dtype, into: &values)
        addReference(values[...])
      }
    }
  }

  /// Adds what was found in the part that follows.
  mutating func append(_ next: TensorDifference) {
    maxULP =
      elements == 0 ? next.maxULP : maxULP.flatMap { ulp in next.maxULP.map { max(ulp, $0) } }
    elements += next.elements
    differing += next.differing
    becameNaN += next.becameNaN
    becameInfinite += next.becameInfinite
    noLongerNaN += next.noLongerNaN
    noLongerInfinite += next.noLongerInfinite
    maxAbsolute = maxAbsolute.flatMap { mine in
      next.maxAbsolute.map { mine.isNaN || $0.isNaN ? .nan : max(mine, $0) }
    }
    squaredDifference += next.squaredDifference
    squaredReference += next.squaredReference
  }

  /// Compares tensors whose values cannot be read: block by block if they are of one type.
  private mutating func countBlocks(
    _ left: Checkpoint.Entry, _ right: Checkpoint.Entry, _ range: Range<Int>
  ) throws {
    maxAbsolute = nil
    differing = elements
    guard left.info == right.info else { return }
    differing = 0
    let (perBlock, width) = left.info.dtype.block
    let step = ChunkBuffer.standardSize / width * width
    var leftBuffer = ChunkBuffer(capacity: step)
    var rightBuffer = ChunkBuffer(capacity: step)
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      let count = min(step, range.upperBound - offset)
      let a = try left.read(offset, count, using: &leftBuffer)
      let b = try right.read(offset, count, using: &rightBuffer)
      for start in stride(from: 0, to: count, by: width)
      where !a.isByteEqual(to: b, in: start..<start + width) {
        differing += perBlock
      }
    }
  }

  private mutating func addReference(_ values: ArraySlice<Double>) {
    var sum = squaredReference
    for value in values { sum += value * value }
    squaredReference = sum
  }

  private mutating func add(
    _ a: RawSpan, _ b: RawSpan, _ dtype: DType, sameType: Bool, _ tolerance: Tolerance,
    _ values: [Double], _ others: [Double]
  ) {
    let perElement = max(1, values.count * dtype.byteWidth / max(a.byteCount, 1))
    let width = dtype.byteWidth / perElement
    addReference(values[...])
    var element = -1
    var special = -1
    var index = -1
    while index + 1 < values.count {
      index += 1
      // Most values are equal, and are passed over together.
      if sameType, index % 64 == 0, index + 64 <= values.count,
        a.isByteEqual(to: b, in: index * width..<(index + 64) * width)
      {
        index += 63
        continue
      }
      let (x, y) = (values[index], others[index])
      let isSame: Bool
      if tolerance == .none {
        isSame =
          sameType
          ? a.isByteEqual(to: b, in: index * width..<(index + 1) * width)
          : x == y || x.isNaN && y.isNaN
      } else {
        let distance = abs(x - y)
        isSame =
          x == y || x.isNaN && y.isNaN
          || distance.isFinite && distance <= tolerance.absolute + tolerance.relative * abs(y)
      }
      if isSame { continue }
      if index / perElement != element { differing += 1 }
      element = index / perElement
      let distance = x == y || x.isNaN && y.isNaN ? 0 : abs(x - y)
      if !distance.isFinite, element != special {
        special = element
        let parts = element * perElement..<(element + 1) * perElement
        countSpecials(from: values[parts], to: others[parts])
      }
      maxAbsolute = maxAbsolute.map { $0.isNaN || distance.isNaN ? .nan : max($0, distance) }
      squaredDifference += distance * distance
      if x.isNaN != y.isNaN {
        maxULP = nil
      } else if let known = maxULP,
        let ulp = unitsInLastPlace(from: a, b, at: index * width, dtype)
      {
        maxULP = max(known, ulp)
      }
    }
  }

  /// Counts what one element, given by its one or two numbers, became.
  private mutating func countSpecials(from old: ArraySlice<Double>, to new: ArraySlice<Double>) {
    let (wasNaN, isNaN) = (old.contains(where: \.isNaN), new.contains(where: \.isNaN))
    if wasNaN != isNaN {
      if isNaN { becameNaN += 1 } else { noLongerNaN += 1 }
    }
    // An element with both a NaN and an infinity, of a complex type, counts as NaN.
    let wasInfinite = !wasNaN && old.contains(where: \.isInfinite)
    let isInfinite = !isNaN && new.contains(where: \.isInfinite)
    if wasInfinite != isInfinite {
      if isInfinite { becameInfinite += 1 } else { noLongerInfinite += 1 }
    }
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

/// Floating-point numbers between two elements of one type; `nil` if either is NaN.
private func unitsInLastPlace(
  from a: RawSpan, _ b: RawSpan, at offset: Int, _ dtype: DType
) -> UInt64? {
  func bits(_ span: RawSpan) -> UInt64 {
    (0..<dtype.byteWidth).reduce(0) { bits, index in
      let byte = unsafe span.unsafeLoad(fromByteOffset: offset + index, as: UInt8.self)
      return bits | UInt64(byte) << UInt64(8 * index)
    }
  }
  return dtype.element.floatFormat?.unitsInLastPlace(from: bits(a), to: bits(b))
}
