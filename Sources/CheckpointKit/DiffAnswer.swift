public import TensorCore

/// What a comparison comes to, in one line.
public struct DiffAnswer: Sendable {
  /// The outcome in a word; raw values are those of JSON reports.
  public enum Verdict: String, Sendable, CaseIterable, Encodable {
    /// The same tensors, and the same values beside them.
    case identical
    /// The same tensors; only values that are not tensors differ.
    case values
    /// The same values under other names.
    case renamed
    /// The same values with axes in another order, some perhaps renamed.
    case transposed
    /// The same values in another type, rounded if it is narrower, some perhaps renamed or transposed.
    case cast
    /// The same architecture; every floating-point tensor has changed, and is like it was.
    case fineTuned
    /// The same architecture; some floating-point tensors have changed.
    case partial
    /// The same architecture; most values have nothing in common.
    case unrelated
    /// The same architecture; all have changed, and the values cannot tell how.
    case changed
    /// Tensors were added, removed, or reshaped.
    case architecture
  }

  /// The outcome.
  public let verdict: Verdict
  /// Tensors of all kinds, tied ones not counted.
  public let sum: DiffSum
  /// Whether both have the same tensors of the same shapes, names and order of axes aside.
  public let isSameArchitecture: Bool
  /// The modules, or `*.leaf` for tensors of one last name component, that hold all that changed and
  /// nothing else; empty if everything changed or nothing did.
  public let changedParts: [String]
  /// The same of what is identical.
  public let frozenParts: [String]
  /// Tensors with values that became NaN.
  public var nanTensorCount: Int { sum.nanTensorCount }
  /// The floating-point or complex tensor with the largest finite relative change, and that change; `nil`
  /// if there is none.
  public let largest: (name: TensorName, relativeL2: Double)?
  /// Cosine of all changed tensors as one vector; `nil` or NaN as of ``TensorDifference/cosine``.
  public var cosine: Double? { sum.difference.elementCount > 0 ? sum.difference.cosine : nil }

  /// Tensors of other values, not counting those that only one of the two has or that were reshaped.
  public let changedCount: Int

  let byStoredDigest: Int
  let values: ValueDiff?
  /// Tensors with the same values in another type.
  let cast: Int
  let renamings: [CheckpointDiff.Renaming]
  let types: [(old: DType, new: DType)]

  init(_ diff: CheckpointDiff, values: ValueDiff?) {
    let tree = DiffTree(diff)
    sum = tree.nodes[0].sum
    self.values = values
    byStoredDigest = diff.identicalByStoredDigestCount
    renamings = diff.renamings
    var types: [(old: DType, new: DType)] = []
    for change in diff.changes where change.kind == .retyped || change.kind == .transposed {
      guard let old = change.old?.dtype, let new = change.new?.dtype, old != new else { continue }
      if !types.contains(where: { $0 == (old, new) }) { types.append((old, new)) }
    }
    self.types = types
    isSameArchitecture =
      sum.count(.added) + sum.count(.removed) + sum.count(.reshaped) == 0
    largest = Self.largest(diff.changes)
    let common = diff.tensors.filter { $0.kind != .added && $0.kind != .removed }
    let isChanged = common.map { $0.kind != .identical && !Self.isMoved($0) }
    let parts = DiffParts(common, isChanged)
    (changedParts, frozenParts) = (parts.changed, parts.others)
    changedCount = isChanged.count { $0 } - sum.count(.reshaped)
    cast = common.count { Self.isMoved($0) && $0.old?.dtype != $0.new?.dtype }
    if !isSameArchitecture {
      verdict = .architecture
    } else if diff.changes.isEmpty {
      verdict = values.map { !$0.changes.isEmpty } == true ? .values : .identical
    } else if changedCount == 0 {
      verdict =
        cast == 0 ? sum.count(.transposed) > 0 ? .transposed : .renamed : .cast
    } else {
      verdict = Self.verdict(common, isChanged)
    }
  }

  /// Whether a tensor has the same values under another name, in another order, or in another type.
  private static func isMoved(_ change: CheckpointDiff.Change) -> Bool {
    switch change.kind {
    case .renamed: true
    case .transposed, .retyped: change.difference?.isCast ?? (change.kind == .transposed)
    default: false
    }
  }

  private static func verdict(
    _ common: [CheckpointDiff.Change], _ isChanged: [Bool]
  ) -> Verdict {
    var (unrelated, related, equal) = (0, 0, 0)
    var isEverywhere = true
    for (tensor, isChanged) in zip(common, isChanged) {
      guard isChanged else {
        if let info = tensor.old, info.dtype.isFloatingPoint {
          isEverywhere = false
          equal = [equal, info.elementCount].saturatedSum()
        }
        continue
      }
      // Values that are not finite do not tell.
      guard let cosine = tensor.difference?.cosine, cosine.isFinite else { continue }
      let count = tensor.difference?.elementCount ?? 0
      if cosine < CheckpointDiff.Work.relatedCosine {
        unrelated = [unrelated, count].saturatedSum()
      } else {
        related = [related, count].saturatedSum()
      }
    }
    // A head that was drawn again is a part that changed.
    if unrelated > [related, equal].saturatedSum() { return .unrelated }
    if !isEverywhere { return .partial }
    return related > 0 ? .fineTuned : .changed
  }

  private static func largest(
    _ changes: [CheckpointDiff.Change]
  ) -> (name: TensorName, relativeL2: Double)? {
    var largest: (name: TensorName, relativeL2: Double)?
    for change in changes {
      // Integers count, as num_batches_tracked does: how much more says nothing of the model.
      guard change.info?.dtype.isFloatingPoint == true || change.info?.dtype.isComplex == true,
        let difference = change.difference, difference.differingCount > 0,
        let relative = difference.relativeL2, relative.isFinite
      else { continue }
      if largest.map({ $0.relativeL2 < relative }) ?? true { largest = (change.name, relative) }
    }
    return largest
  }
}

extension DiffAnswer: Encodable {
  private enum CodingKeys: String, CodingKey {
    case verdict, text, isSameArchitecture, changedParts, frozenParts, tensorsWithNaN
    case largestRelativeL2, largestRelativeName, tensors, changed, identical, cosine
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(verdict, forKey: .verdict)
    try container.encode(text, forKey: .text)
    try container.encode(isSameArchitecture, forKey: .isSameArchitecture)
    try container.encode(changedParts, forKey: .changedParts)
    try container.encode(frozenParts, forKey: .frozenParts)
    try container.encode(nanTensorCount, forKey: .tensorsWithNaN)
    try container.encode(largest?.relativeL2, forKey: .largestRelativeL2)
    try container.encode(largest?.name.text, forKey: .largestRelativeName)
    try container.encode(sum.tensorCount, forKey: .tensors)
    try container.encode(changedCount, forKey: .changed)
    try container.encode(sum.count(.identical), forKey: .identical)
    try container.encode(cosine, forKey: .cosine)
  }
}

extension CheckpointDiff {
  /// What the comparison comes to; `values` are those beside the tensors, if they were compared.
  public func answer(values: ValueDiff? = nil) -> DiffAnswer { DiffAnswer(self, values: values) }
}
