public import ParallelWork
import Ranks
public import TensorCore

/// Whether a checkpoint holds the values that a recipe gives, tensor by tensor.
public struct Verification: Sendable {
  /// The result for one tensor.
  public enum Outcome: Sendable {
    /// The same bytes.
    case identical
    /// The bytes that PyTorch's other CPU path gives, the one for machines with or without AVX2.
    case otherPath(TensorDifference)
    /// Within 16 units in the last place, which the arithmetic of another CPU can explain.
    case near(TensorDifference)
    /// Different values.
    case different(TensorDifference)
    /// The bytes that rounding the recipe's values to the file's type gives.
    case rounded(from: DType)
    /// The file's type differs from the recipe's, and so do the values after rounding; compared where
    /// both types are floating-point.
    case retyped(from: DType, to: DType, TensorDifference?)
    /// The file's shape differs from the recipe's.
    case reshaped(expected: TensorInfo)
    /// In the recipe's model, but missing from the file.
    case missing
    /// In the file, but not in the recipe's model.
    case unexpected
    /// In both, but its values are not the recipe's.
    case uncovered(Recipe.Origin)

    /// Whether the bytes are the recipe's, or those after one rounding.
    public var isVerified: Bool {
      switch self {
      case .identical, .rounded: true
      default: false
      }
    }

    /// Whether the recipe says what the values are.
    public var isCovered: Bool { if case .uncovered = self { false } else { true } }
  }

  /// One tensor and its outcome.
  public struct Tensor: Sendable {
    /// Name of the tensor.
    public let name: TensorName
    /// How the values in the file compare with those of the recipe.
    public let outcome: Outcome
  }

  /// Largest distance, in units in the last place, that counts as ``Outcome/near(_:)``.
  package static let nearULP: UInt64 = 16

  /// Every tensor of the file, in its order, then those missing from it.
  public let tensors: [Tensor]

  /// Whether every tensor that the recipe covers is identical, and it covers one at least.
  public var isVerified: Bool {
    let covered = tensors.filter(\.outcome.isCovered)
    return covered.allSatisfy(\.outcome.isVerified) && (!covered.isEmpty || tensors.isEmpty)
  }

  /// Whether the recipe says of no tensor what its values are, as after a copy from another checkpoint.
  public var coversNothing: Bool {
    !tensors.isEmpty && !tensors.contains { $0.outcome.isCovered }
  }

  /// Samples the recipe's values and compares them with the checkpoint's, in bounded memory.
  ///
  /// `pairing` says which tensor of the checkpoint is which of the recipe's model, where names differ.
  public init(
    of checkpoint: Checkpoint, against recipe: Recipe, pairing: NamePairing? = nil,
    threads: Int = Threads.available
  ) async throws {
    let model = recipe.model
    let isKeras = try KerasTree(checkpoint) != nil
    let tree = try model == nil || isKeras ? checkpoint.tree(model: model) : nil
    let partners = pairing?.partners ?? [:]
    let checkpoint = checkpoint.renamed(partners.isEmpty ? tree?.names ?? [:] : partners)
    let names = (partners.isEmpty ? tree?.storedNames : pairing?.inverse) ?? [:]
    let infos = checkpoint.entries.map { ($0.name, $0.info) }
    let inferred = model == nil ? tree?.module : nil
    let plan = try recipe.plan(over: infos, inferred: inferred, ties: checkpoint.tiedNames)
    var otherRecipe = recipe
    otherRecipe.cpuPath = recipe.cpuPath == .avx2 ? .default : .avx2
    let expected = plan.checkpoint.entriesByName
    let other = try otherRecipe.plan(
      over: infos, inferred: inferred, ties: checkpoint.tiedNames
    ).checkpoint.entriesByName
    let outcomes = try await concurrentMap(
      checkpoint.entries, width: threads, sharing: Self.sharing(plan.unknown, expected)
    ) { entry in
      if let origin = plan.unknown[entry.name] { return .uncovered(origin) }
      guard let wanted = expected[entry.name] else { return .unexpected }
      return try Self.compare(entry, wanted, other: other[entry.name])
    }
    try Ranks.current.requireSound(checkpoint.entries)
    let found = zip(checkpoint.entries, outcomes).map { entry, outcome in
      Tensor(name: names[entry.name] ?? entry.name, outcome: outcome)
    }
    let present = Set(checkpoint.entries.map(\.name))
    let missing = plan.checkpoint.entries.filter { !present.contains($0.name) }
      .map { Tensor(name: $0.name, outcome: .missing) }
    tensors = found + missing
  }

  private static func compare(
    _ entry: Checkpoint.Entry, _ wanted: Checkpoint.Entry, other: Checkpoint.Entry?
  ) throws -> Outcome {
    guard entry.info.shape == wanted.info.shape else { return .reshaped(expected: wanted.info) }
    let (found, drawn) = (entry.info.dtype, wanted.info.dtype)
    guard found == drawn else {
      guard found.isFloatingPoint, drawn.isFloatingPoint else {
        return .retyped(from: drawn, to: found, nil)
      }
      let rounded = try wanted.cast(to: found)
      if try entry.isIdentical(to: rounded) { return .rounded(from: drawn) }
      return .retyped(from: drawn, to: found, try TensorDifference(between: entry, and: rounded))
    }
    if try entry.isIdentical(to: wanted) { return .identical }
    let difference = try TensorDifference(between: entry, and: wanted)
    if let other, try entry.isIdentical(to: other) { return .otherPath(difference) }
    if let ulp = difference.maxULP, ulp <= nearULP,
      difference.maxAbsolute?.isFinite == true
    {
      return .near(difference)
    }
    return .different(difference)
  }
}
