import ArgumentParser
import CheckpointKit

/// The option of a recipe's seed.
struct SeedOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Argument of torch.manual_seed (default: 0). An integer from -2^63 to 2^64 - 1.")
  var seed: String?

  func validate() throws {
    try checkingUsage { _ = try seed.map { try Seed($0) } }
  }
}

/// Options that make up a recipe, but for its seed.
struct RecipeOptions: ParsableArguments {
  @Option(
    help:
      "Library whose constructors build the model. One of \(Library.allCases.map(\.rawValue).joined(separator: ", ")). Default: torch, the layers' own defaults.",
    completion: .list(Library.allCases.map(\.rawValue)))
  var library: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Reinitialize tensors, as in 'Linear: weight=xavier_uniform'. Rules are applied after construction. May be repeated.",
      valueName: "selector: parameter=initializer"))
  var rule: [String] = []

  @Option(
    help:
      "Order of the rules' loop: modules, apply, or rules. modules, the default, is pre-order, and apply post-order; with rules, each rule walks the whole model before the next.",
    completion: .list(Rule.Order.allCases.map(\.rawValue)))
  var order: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Rule for each module as soon as it is built. May be repeated.",
      valueName: "rule"))
  var atConstruction: [String] = []

  @Option(
    help: ArgumentHelp(
      "Discard draws first: 32-bit words, or 'randn(1000)'.",
      valueName: "draws"))
  var skip: String?

  @Option(
    help:
      "Default dtype of parameters. Default: float32. PyTorch draws in \(DType.drawable.alternatives).",
    completion: .list(DType.drawable.map(\.torchName)))
  var dtype: String?

  @Option(
    help: "Round to this dtype afterward, as .to(dtype) does.",
    completion: .list(DType.floatingPoint.map(\.torchName)))
  var cast: String?

  @Option(
    help:
      "PyTorch's CPU path to reproduce: avx2 or default. avx2 is the default, and what every current x86 machine takes.",
    completion: .list(["avx2", "default"]))
  var matchTorch: String?

  @Option(
    help: ArgumentHelp(
      "Side file with what printed text cannot show. Lines are 'path: shape [dtype] [= initializer]', 'a = b' for ties, 'path: kdim=…'.",
      valueName: "file"), completion: .file())
  var extra: String?

  func validate() throws {
    try checkingUsage { _ = try recipe(over: nil, model: nil, seed: nil) }
  }

  /// The base recipe with the options applied.
  func recipe(over base: Recipe?, model: Model?, seed: String?) throws -> Recipe {
    var recipe = base ?? Recipe()
    if let model { recipe.model = model }
    if let seed { recipe.seed = try Seed(seed) }
    if !atConstruction.isEmpty { try recipe.setConstructionRules(atConstruction) }
    if let library { recipe.library = try Library(named: library) }
    if !rule.isEmpty { recipe.rules = try rule.map { try Rule($0) } }
    if let order { recipe.order = try Rule.Order(named: order) }
    if let matchTorch { recipe.cpuPath = try CPUPath(named: matchTorch) }
    if let skip { recipe.setSkip(try Skip(skip)) }
    if let cast { recipe.setCast(try Recipe.floatingPoint(named: cast)) }
    if let dtype { recipe.dtype = try Recipe.floatingPoint(named: dtype) }
    return recipe
  }
}

extension Recipe {
  /// Replaces the rules at the construction of every model.
  fileprivate mutating func setConstructionRules(_ texts: [String]) throws {
    let rules = try texts.map { try Rule($0) }
    for index in steps.indices {
      guard case .construct(var construction) = steps[index] else { continue }
      construction.rules = rules
      steps[index] = .construct(construction)
    }
  }

  /// Replaces what is skipped before anything is drawn.
  fileprivate mutating func setSkip(_ skip: Skip) {
    while case .skip = steps.first { steps.removeFirst() }
    steps.insert(.skip(skip), at: 0)
  }

  /// Replaces all casts by one at the end.
  fileprivate mutating func setCast(_ dtype: DType) {
    steps.removeAll { if case .cast = $0 { true } else { false } }
    steps.append(.cast(dtype, nil))
  }
}
