import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Init: AsyncParsableCommand, CommonCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "init",
      abstract: "Initialize a model exactly as PyTorch does, and write the checkpoint.",
      discussion: """
        MODEL is the text that PyTorch's print(model) shows, or a checkpoint that has its module \
        tree. The values are those that torch.manual_seed(SEED) and the constructors of the layers give on \
        a CPU, bit for bit; rules are then applied in a loop over the modules, continuing with the same \
        generator. The recipe is stored in the checkpoint.

        What a model's own constructor does besides building layers is invisible in print(model), such as \
        the loop of torchvision's ResNet that redraws its convolutions: --library torchvision repeats it; \
        for a class of your own use --rule.

        EXAMPLES
          ckpt init model.txt --seed 0 -o net.h5
          ckpt init resnet18.txt --library torchvision -o net.h5
          ckpt init model.txt -o net.ckz --rule 'Linear: weight=xavier_uniform, bias=1'
          ckpt init --recipe net.h5 --seed 1 -o other.h5
        """)

    @Argument(
      help:
        "Printed model, description, or checkpoint; '-' for standard input. Optional with --recipe.",
      completion: .file())
    var model: String?
    @Option(name: .shortAndLong, help: "Output file; '-' for standard output.", completion: .file())
    var output: String
    @OptionGroup var seedOptions: SeedOptions
    @OptionGroup var recipeOptions: RecipeOptions
    @Option(
      help: "A recipe file, or a checkpoint that has a recipe. Options override it.",
      completion: .file())
    var recipe: String?
    @Flag(help: "Leave out tensors of library classes that are not known.")
    var allowIncomplete = false
    @OptionGroup var target: OutputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { target.isShared(output) }

    func validate() throws {
      guard model != nil || recipe != nil else {
        throw ValidationError("missing MODEL: pass a model, or --recipe FILE that names one")
      }
    }

    func run() async throws {
      let target = try target.target(output, common)
      let (plan, recipe) = try plan()
      try await target.write(plan.checkpoint, to: output, showing: common)
      let seed = seedOptions.seed ?? recipe.seed.map { "\($0)" } ?? "0"
      common.wrote(output, plan.checkpoint.counts + ["seed \(seed)"] + Self.origin(recipe))
    }

    /// What is drawn, once what the model does not say has been noted.
    func plan() throws -> (Recipe.Plan, Recipe) {
      var base = try recipe.map { try Recipe(file: $0) }
      base?.removeRedraws()
      let model = try model.map { try Model(file: $0, extra: recipeOptions.extra) }
      let recipe = try recipeOptions.recipe(
        over: base, model: model, seed: seedOptions.seed)
      let source = self.model ?? self.recipe ?? ""
      let models = model.map { [$0] } ?? recipe.constructions.map(\.model)
      for model in models {
        if model.isPrinted, !allowIncomplete {
          try naming(source) { try model.module.requireComplete() }
        }
        model.module.notes.forEach(common.notes(on: source))
        if recipe.library == .torch, !model.isDescribed {
          model.module.notesOnConstructors.forEach(common.notes(on: source))
        }
        model.module.notesOnOptions(of: recipe.library).forEach(common.notes(on: source))
      }
      return (try naming(source) { try recipe.plan() }, recipe)
    }

    /// From where the values come: a library's constructors, the rules, a description, or the layers themselves.
    private static func origin(_ recipe: Recipe) -> [String] {
      let constructions = recipe.constructions
      let rules = (constructions.map(\.rules.count) + [recipe.rules.count]).saturatedSum()
      let drawn = rules > 0 ? [rules.pluralized("rule")] : []
      if recipe.library != .torch {
        return ["as \(recipe.library.rawValue) initializes it"] + drawn
      }
      if !drawn.isEmpty { return drawn }
      return constructions.contains { $0.model.isDescribed }
        ? ["as the description draws"] : ["layers' default initialization"]
    }
  }
}
