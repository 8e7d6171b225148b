import ParallelWork
public import TensorCore

/// How far two tensors of one shape are apart, measured in one pass over both.
public struct TensorDifference: Hashable, Sendable, Encodable {
  /// Elements compared.
  public private(set) var elements = 0
  /// Elements that differ: in any bit, or by more than the tolerance if there is one.
  public private(set) var differing = 0
  /// Largest `|a - b|`; NaN for types whose values cannot be read; infinite when one of the two is infinite or NaN and the other is not.
  public private(set) var maxAbsolute = 0.0
  /// Largest distance in units in the last place, where both have one floating-point type.
  public private(set) var maxULP: UInt64?
  private var squaredDifference = 0.0
  private var squaredReference = 0.0

  /// `‖a - b‖₂ / ‖a‖₂`; the plain norm of the difference when `a` is all zero.
  public var relativeL2: Double {
    squaredReference > 0
      ? (squaredDifference / squaredReference).squareRoot() : squaredDifference.squareRoot()
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
    case elements, differing, maxAbsolute, maxULP, relativeL2
  }

  /// Writes the measures as they are printed.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(elements, forKey: .elements)
    try values.encode(differing, forKey: .differing)
    try values.encode(maxAbsolute, forKey: .maxAbsolute)
    try values.encodeIfPresent(maxULP, forKey: .maxULP)
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

  /// Adds what was found in the part that follows.
  mutating func append(_ next: TensorDifference) {
    maxULP =
      elements == 0 ? next.maxULP : maxULP.flatMap { ulp in next.maxULP.map { max(ulp, $0) } }
    elements += next.elements
    differing += next.differing
    maxAbsolute =
      maxAbsolute.isNaN || next.maxAbsolute.isNaN ? .nan : max(maxAbsolute, next.maxAbsolute)
    squaredDifference += next.squaredDifference
    squaredReference += next.squaredReference
  }

  /// Compares tensors whose values cannot be read: block by block if they are of one type.
  private mutating func countBlocks(
    _ left: Checkpoint.Entry, _ right: Checkpoint.Entry, _ range: Range<Int>
  ) throws {
    maxAbsolute = .nan
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
    for value in values where value.isFinite { sum += value * value }
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
      maxAbsolute = max(maxAbsolute, distance.isNaN ? .infinity : distance)
      if distance.isFinite { squaredDifference += distance * distance }
      if let known = maxULP, let ulp = unitsInLastPlace(from: a, b, at: index * width, dtype) {
        maxULP = max(known, ulp)
      }
    }
  }
}

extension Checkpoint.Entry {
  /// Whether two tensors have one type, one shape and the same bytes; stops at the first difference.
  public func isIdentical(to other: Self) throws -> Bool {
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
