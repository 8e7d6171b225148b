import TensorCore

/// What became of several tensors together.
public struct DiffSum: Sendable, Encodable {
  /// Tensors, identical ones included.
  public private(set) var tensors = 0
  /// Tensors of each kind; kinds without any are left out.
  public private(set) var kinds: [CheckpointDiff.Change.Kind: Int] = [:]
  /// Elements of all tensors, those of the second file where it has the tensor.
  public private(set) var elements = 0
  /// Bytes of all tensors, likewise.
  public private(set) var bytes = 0
  /// The measures of all tensors of numbers that are not integers, where they were measured, added up:
  /// norms are those of the tensors that differ, as one vector.
  ///
  /// Integers count steps or are codes, which are large and not weights.
  public private(set) var difference = TensorDifference()
  /// Tensors with a value that became NaN.
  public private(set) var tensorsWithNaN = 0

  /// Nothing.
  public init() {}

  /// Tensors that are not identical.
  public var changed: Int { tensors - count(.identical) }

  /// The share of all elements that differ, or that only one of the two files has, 0 to 1.
  public var changedShare: Double {
    elements == 0 ? 0 : Double(differing) / Double(elements)
  }

  /// Elements that differ, or that only one file has, or that are in a tensor of another shape.
  public private(set) var differing = 0

  /// Tensors of one kind.
  public func count(_ kind: CheckpointDiff.Change.Kind) -> Int { kinds[kind] ?? 0 }

  /// The only kind that the tensors are of; `nil` if there are several.
  public var onlyKind: CheckpointDiff.Change.Kind? { kinds.count == 1 ? kinds.first?.key : nil }

  mutating func add(_ tensor: CheckpointDiff.Change) {
    tensors += 1
    kinds[tensor.kind, default: 0] += 1
    let count = tensor.info?.elementCount ?? 0
    elements = [elements, count].saturatedSum()
    bytes = [bytes, tensor.info?.byteCount ?? 0].saturatedSum()
    switch (tensor.kind, tensor.difference) {
    case (.identical, _), (.renamed, _): break
    case (_, let found?): differing = [differing, found.differing].saturatedSum()
    case (_, nil): differing = [differing, tensor.axes == nil ? count : 0].saturatedSum()
    }
    // Values that cannot be read have no measures.
    guard let found = tensor.difference, found.maxAbsolute != nil,
      let dtype = tensor.info?.dtype, dtype.isFloatingPoint || dtype.isComplex
    else { return }
    if found.becameNaN > 0 { tensorsWithNaN += 1 }
    difference.append(found)
  }

  mutating func add(_ other: DiffSum) {
    tensors += other.tensors
    kinds.merge(other.kinds, uniquingKeysWith: +)
    elements = [elements, other.elements].saturatedSum()
    bytes = [bytes, other.bytes].saturatedSum()
    differing = [differing, other.differing].saturatedSum()
    tensorsWithNaN += other.tensorsWithNaN
    if other.difference.elements > 0 { difference.append(other.difference) }
  }

  private enum CodingKeys: String, CodingKey {
    case tensors, changed, kinds, elements, bytes, differing, changedShare, maxAbsolute
    case relativeL2, cosine, signFlips, becameNaN, becameInfinite
  }

  /// Writes the sums; `null` stands for a measure of no tensor.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(tensors, forKey: .tensors)
    try values.encode(changed, forKey: .changed)
    let named = kinds.map { ($0.key.rawValue, $0.value) }
    try values.encode(Dictionary(keepingFirst: named), forKey: .kinds)
    try values.encode(elements, forKey: .elements)
    try values.encode(bytes, forKey: .bytes)
    try values.encode(differing, forKey: .differing)
    try values.encode(changedShare, forKey: .changedShare)
    let found = difference.elements > 0 ? difference : nil
    try values.encode(found?.maxAbsolute, forKey: .maxAbsolute)
    try values.encode(found?.relativeL2, forKey: .relativeL2)
    try values.encode(found?.cosine, forKey: .cosine)
    try values.encode(found?.signFlips, forKey: .signFlips)
    try values.encode(found?.becameNaN, forKey: .becameNaN)
    try values.encode(found?.becameInfinite, forKey: .becameInfinite)
  }
}
