import ArgumentParser
import CheckpointKit

/// Options that make up a recipe.
struct RecipeOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Argument of torch.manual_seed: an integer from -2^63 to 2^64 - 1. (default: 0)")
  var seed: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "After construction, reinitialize tensors: 'Linear: weight=xavier_uniform, bias=1'. May be repeated.",
      valueName: "selector: parameter=initializer"))
  var rule: [String] = []

  @Option(
    help:
      "Order in which rules visit the modules: modules (pre-order, the default) or apply (post-order)."
  )
  var order: String?

  @Option(
    help:
      "Default dtype of parameters. Default: float32. PyTorch draws in \(DType.drawable.alternatives)."
  )
  var dtype: String?

  @Option(
    help:
      "PyTorch's CPU path to reproduce: avx2 (the default; every current x86 machine) or default.")
  var matchTorch: String?

  @Option(
    help: ArgumentHelp(
      "Side file with what printed text cannot show: 'path: shape [dtype] [= initializer]', 'a = b' for ties, 'path: kdim=…'.",
      valueName: "file"))
  var extra: String?

  func validate() throws {
    try checkingUsage { _ = try recipe(over: nil, model: nil) }
  }

  /// The base recipe with the options applied.
  func recipe(over base: Recipe?, model: Model?) throws -> Recipe {
    var recipe = base ?? Recipe()
    if let model { recipe.model = model }
    if let seed { recipe.seed = try Seed(seed) }
    if !rule.isEmpty { recipe.rules = try rule.map { try Rule($0) } }
    if let order { recipe.order = try Rule.Order(named: order) }
    if let matchTorch { recipe.cpuPath = try CPUPath(named: matchTorch) }
    if let dtype { recipe.dtype = try Recipe.floatingPoint(named: dtype) }
    return recipe
  }
}
