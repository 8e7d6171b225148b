import ArgumentParser
import CheckpointKit

/// Options that say how a model's values come about.
struct RecipeOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Argument of torch.manual_seed: an integer from -2^63 to 2^64 - 1. (default: 0)")
  var seed: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "After construction, fill tensors anew: 'Linear: weight=xavier_uniform, bias=1'. Repeated.",
      valueName: "selector: parameter=initializer"))
  var rule: [String] = []

  @Option(
    help:
      "Order in which rules reach the modules: modules (pre-order, the default) or apply (post-order)."
  )
  var order: String?

  @Option(
    help:
      "Type of the tensors. Default: float32. PyTorch draws in \(DType.drawable.alternatives).")
  var dtype: String?

  @Option(
    help:
      "Which of PyTorch's CPU paths to follow: avx2 (what today's x86 machines take), or default.")
  var matchTorch: String?

  @Option(
    help: ArgumentHelp(
      "A side file that says what printed text cannot: 'path: shape [dtype] [= initializer]', 'a = b' for ties, 'path: kdim=…'.",
      valueName: "file"))
  var extra: String?

  func validate() throws {
    try checkingUsage { _ = try recipe(over: nil, model: nil) }
  }

  /// The recipe that a base recipe and the options give together, options first.
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
