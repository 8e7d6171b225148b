import TensorCore

/// What became of several tensors together.
public struct DiffSum: Sendable, Encodable {
  /// Tensors, identical ones included.
  public private(set) var tensorCount = 0
  /// Tensors of each kind; kinds without any are left out.
  public private(set) var kindCounts: [CheckpointDiff.Change.Kind: Int] = [:]
  /// Elements of all tensors, those of the second file where it has the tensor.
  public private(set) var elementCount = 0
  /// Bytes of all tensors, likewise.
  public private(set) var byteCount = 0
  /// The measures of all tensors of numbers that are not integers, where they were measured, added up:
  /// norms are those of the tensors that differ, as one vector.
  ///
  /// Integers count steps or are codes, which are large and not weights.
  public private(set) var difference = TensorDifference()
  /// Tensors with a value that became NaN.
  public private(set) var nanTensorCount = 0

  /// Nothing.
  public init() {}

  /// Tensors that are not identical.
  public var changedCount: Int { tensorCount - count(.identical) }

  /// The share of all elements that differ, or that only one of the two files has, 0 to 1.
  public var changedShare: Double {
    elementCount == 0 ? 0 : Double(differingCount) / Double(elementCount)
  }

  /// Elements that differ, or that only one file has, or that are in a tensor of another shape.
  public private(set) var differingCount = 0

  /// Tensors of one kind.
  public func count(_ kind: CheckpointDiff.Change.Kind) -> Int { kindCounts[kind] ?? 0 }

  /// The only kind that the tensors are of; `nil` if there are several.
  public var onlyKind: CheckpointDiff.Change.Kind? {
    kindCounts.count == 1 ? kindCounts.first?.key : nil
  }

  mutating func add(_ tensor: CheckpointDiff.Change) {
    tensorCount += 1
    kindCounts[tensor.kind, default: 0] += 1
    let count = tensor.info?.elementCount ?? 0
    elementCount = [elementCount, count].saturatedSum()
    byteCount = [byteCount, tensor.info?.byteCount ?? 0].saturatedSum()
    switch (tensor.kind, tensor.difference) {
    case (.identical, _), (.renamed, _): break
    case (_, let found?): differingCount = [differingCount, found.differingCount].saturatedSum()
    case (_, nil): differingCount = [differingCount, tensor.axes == nil ? count : 0].saturatedSum()
    }
    // Values that cannot be read have no measures.
    guard let found = tensor.difference, found.maxAbsolute != nil,
      let dtype = tensor.info?.dtype, dtype.isFloatingPoint || dtype.isComplex
    else { return }
    if found.becameNaNCount > 0 { nanTensorCount += 1 }
    difference.append(found)
  }

  mutating func add(_ other: DiffSum) {
    tensorCount += other.tensorCount
    kindCounts.merge(other.kindCounts, uniquingKeysWith: +)
    elementCount = [elementCount, other.elementCount].saturatedSum()
    byteCount = [byteCount, other.byteCount].saturatedSum()
    differingCount = [differingCount, other.differingCount].saturatedSum()
    nanTensorCount += other.nanTensorCount
    if other.difference.elementCount > 0 { difference.append(other.difference) }
  }

  private enum CodingKeys: String, CodingKey {
    case tensors, changed, kinds, elements, bytes, differing, changedShare, maxAbsolute
    case relativeL2, cosine, signFlips, becameNaN, becameInfinite
  }

  /// Writes the sums; `null` stands for a measure of no tensor.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(tensorCount, forKey: .tensors)
    try values.encode(changedCount, forKey: .changed)
    let named = kindCounts.map { ($0.key.rawValue, $0.value) }
    try values.encode(Dictionary(keepingFirst: named), forKey: .kinds)
    try values.encode(elementCount, forKey: .elements)
    try values.encode(byteCount, forKey: .bytes)
    try values.encode(differingCount, forKey: .differing)
    try values.encode(changedShare, forKey: .changedShare)
    let found = difference.elementCount > 0 ? difference : nil
    try values.encode(found?.maxAbsolute, forKey: .maxAbsolute)
    try values.encode(found?.relativeL2, forKey: .relativeL2)
    try values.encode(found?.cosine, forKey: .cosine)
    try values.encode(found?.signFlipCount, forKey: .signFlips)
    try values.encode(found?.becameNaNCount, forKey: .becameNaN)
    try values.encode(found?.becameInfiniteCount, forKey: .becameInfinite)
  }
}
