import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Init: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Initialize a model exactly as PyTorch does, and write the checkpoint.",
      discussion: """
        MODEL is the text that PyTorch's print(model) shows, or a checkpoint that has its module \
        tree. The values are those of torch.manual_seed(SEED); model = Net() on a CPU, bit for bit; \
        rules are then applied in a loop over the modules, continuing with the same generator. The \
        recipe is stored in the checkpoint.

        EXAMPLES
          python -c 'import torchvision as tv; print(tv.models.resnet18())' > model.txt
          ckpt init model.txt --seed 0 -o net.h5
          ckpt init model.txt -o net.ckz --rule 'Linear: weight=xavier_uniform, bias=1'
          ckpt init --recipe net.h5 --seed 1 -o other.h5
        """)

    @Argument(
      help:
        "Printed model, model description, or checkpoint; '-' for standard input. Optional with --recipe."
    )
    var model: String?
    @Option(name: .shortAndLong, help: "Output file; '-' for standard output.")
    var output: String
    @OptionGroup var recipeOptions: RecipeOptions
    @Option(help: "A recipe file, or a checkpoint that has a recipe. Options override it.")
    var recipe: String?
    @OptionGroup var target: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard model != nil || recipe != nil else {
        throw ValidationError("missing MODEL: pass a model, or --recipe FILE that names one")
      }
    }

    func run() async throws {
      let target = try target.target(output, common, template: target.template)
      var base = try recipe.map { try Recipe(file: $0) }
      base?.steps = []
      let model = try model.map { try Model(file: $0, extra: recipeOptions.extra) }
      let recipe = try recipeOptions.recipe(over: base, model: model)
      let source = self.model ?? self.recipe ?? ""
      model?.module.notes.forEach(common.notes(on: source))
      let plan = try naming(source) { try recipe.plan() }
      try await target.write(plan.checkpoint, to: output, showing: common)
    }
  }
}
