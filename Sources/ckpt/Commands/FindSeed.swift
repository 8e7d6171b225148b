import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct FindSeed: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "find-seed",
      abstract: "Find the seed from which untouched weights were drawn.",
      discussion: """
        Works on a trained checkpoint as long as one random tensor is untrained (for example, a frozen \
        layer or a head saved before training). Only the low 32 bits of a seed matter. Exit status 1 \
        if no seed in the range matches.

        Lists the untouched tensors, then the changed ones, then those that only the file or only the \
        model has. Without a module tree, classes are inferred; tensors that may be of several classes, \
        and those drawn after them, are undetermined unless one of the classes gives their values. Names that differ from the model's by a prefix (module., _orig_mod., model.) are \
        paired and noted; --rename pairs others.

        EXAMPLES
          ckpt find-seed net.h5 --model model.txt
          ckpt find-seed trained.h5 --model model.txt --range 0..4294967295
          ckpt find-seed wrapped.pt --model model.txt --rename 's/^net\\.//'
          ckpt find-seed net.h5 --model gpt.txt --rule 'Linear: weight=normal(0, 0.02)'
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String
    @Option(help: ArgumentHelp("Seeds to try, inclusive.", valueName: "first..last"))
    var range = "0..100000"
    /// Accepted to say what to pass instead.
    @Option(parsing: .unconditional, help: .hidden) var seed: String?
    @OptionGroup var recipeOptions: RecipeOptions
    @OptionGroup var renaming: RenameOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { true }

    func validate() throws {
      guard seed == nil else {
        throw ValidationError(
          "--seed is what find-seed looks for; pass --range FIRST..LAST")
      }
    }

    private struct Report: Encodable {
      struct Tensor: Encodable {
        let name: String
        let isIdentical: Bool
        let outcome: String
      }
      let file: String
      let range: [UInt32]
      let seed: UInt32?
      let foundBy: String?
      let library: String?
      let tensors: [Tensor]
    }

    func run() async throws {
      let seeds = try bounds(range)
      let checkpoint = try inputs.open(file, common).checkpoint
      var (recipes, choices) = try recipes(for: checkpoint)
      if recipeOptions.library == nil { recipes = recipes.flatMap(withLibraries) }
      var searches: [SeedSearch] = []
      var refusal: CheckpointError?
      for (index, recipe) in recipes.enumerated() {
        try naming(file) { try renaming.requireMatches(among: [checkpoint], and: recipe.model) }
        let pairing = try pairing(of: checkpoint, with: recipe, isNoted: index == 0)
        do {
          let search = try naming(file) {
            try SeedSearch(
              of: checkpoint.renamed(pairing?.partners ?? [:]), recipe: recipe,
              selection: Selection(match: selection.match, exclude: selection.exclude))
          }
          searches.append(search)
        } catch let error as CheckpointError where error.code == .missing {
          refusal = refusal ?? error
          continue
        }
        guard let found = try await find(searches[searches.count - 1], seeds) else { continue }
        return try await printFound(found, seeds, checkpoint, recipes, index, choices)
      }
      guard let search = searches.first else {
        throw refusal
          ?? CheckpointError(
            .missing, "there is no model to search by", path: displayPath(file))
      }
      try printNothing(search, seeds, choices)
    }

    /// The recipe as known constructors of its model's classes would draw it, and as it is.
    private func withLibraries(_ recipe: Recipe) -> [Recipe] {
      guard recipe.library == .torch else { return [recipe] }
      var libraries: Set<Library> = []
      for construction in recipe.constructions where !construction.model.isDescribed {
        libraries.formUnion(construction.model.module.redrawingLibraries)
      }
      let further = Library.allCases.filter(libraries.contains).compactMap { library in
        var recipe = recipe
        recipe.library = library
        return (try? recipe.initialization(seed: Seed(0))) == nil ? nil : recipe
      }
      return further + [recipe]
    }

    /// The recipes to try: one, or for an inferred tree one for each choice of classes.
    private func recipes(for checkpoint: Checkpoint) throws -> ([Recipe], OpenChoices?) {
      if let path = selection.model {
        let model = try Model(file: path, extra: recipeOptions.extra)
        return ([try recipeOptions.recipe(over: nil, model: model, seed: nil)], nil)
      }
      if var base = try checkpoint.recipe() {
        base.removeRedraws()
        return ([try recipeOptions.recipe(over: base, model: nil, seed: nil)], nil)
      }
      let tree = try checkpoint.tree()
      tree.notes.forEach(common.notes(on: file))
      let models = try tree.choices?.models ?? [tree.model()]
      var base = Recipe()
      let dtypes = Set(checkpoint.entries.map(\.info.dtype)).intersection(DType.drawable)
      if dtypes.count == 1, let dtype = dtypes.first { base.dtype = dtype }
      var recipes = try models.map { try recipeOptions.recipe(over: base, model: $0, seed: nil) }
      // A file in another type may have been drawn in its type, or in float32 and cast.
      if base.dtype != .float32, recipeOptions.dtype == nil {
        base.dtype = .float32
        recipes += try models.map { try recipeOptions.recipe(over: base, model: $0, seed: nil) }
      }
      return (recipes, tree.choices)
    }

    private func pairing(
      of checkpoint: Checkpoint, with recipe: Recipe, isNoted: Bool
    ) throws -> NamePairing? {
      try renaming.pairing(of: checkpoint, with: recipe.model) {
        if isNoted { common.notes(on: file)($0) }
      }
    }

    /// Compares the file with what the seed gives under the recipe by which it was found, or under
    /// another that gives more of the tensors whose class is a choice.
    private func printFound(
      _ found: SeedSearch.Found, _ seeds: ClosedRange<UInt32>, _ checkpoint: Checkpoint,
      _ recipes: [Recipe], _ index: Int, _ choices: OpenChoices?
    ) async throws {
      func verification(of checkpoint: Checkpoint, _ recipe: Recipe) async throws -> Verification {
        var recipe = recipe
        recipe.seed = Seed(UInt64(found.seed))
        return try await Verification(
          of: checkpoint, against: recipe,
          pairing: pairing(of: checkpoint, with: recipe, isNoted: false), threads: common.threads)
      }
      var best = recipes[index]
      if recipes.count > 1 {
        var part = checkpoint
        if let choices {
          part.entries.removeAll {
            !choices.undetermined.contains($0.name) && $0.name != found.clue
          }
        }
        var most = -1
        for recipe in recipes[index...] + recipes[..<index] {
          let count = try await verification(of: part, recipe).tensors.count(
            where: \.outcome.isVerified)
          if count > most { (best, most) = (recipe, count) }
        }
      }
      let verification = try await verification(of: checkpoint, best)
      let identical = verification.tensors.filter(\.outcome.isVerified).map(\.name)
      try printFound(
        found, seeds, verification, library: best.library,
        inDoubt: choices?.inDoubt(identical: Set(identical)) ?? [])
    }

    /// Tries the certain clues, else the earliest few others.
    private func find(
      _ search: SeedSearch, _ seeds: ClosedRange<UInt32>
    ) async throws -> SeedSearch.Found? {
      let certain = search.clues.filter(\.isCertain)
      for clue in certain.isEmpty ? search.clues.prefix(8) : certain.prefix(2) {
        let bar = ProgressBar(total: seeds.count, unit: .items("seeds"), quiet: common.quiet)
        let found = try await search.find(
          by: clue, in: seeds, threads: common.threads, progress: bar.handler)
        bar.clear()
        if let found { return found }
      }
      return nil
    }

    private func printNothing(
      _ search: SeedSearch, _ seeds: ClosedRange<UInt32>, _ choices: OpenChoices?
    ) throws {
      var output = StandardOutput()
      if report.json {
        try output.line(
          try jsonText(
            Report(
              file: file, range: [seeds.lowerBound, seeds.upperBound], seed: nil, foundBy: nil,
              library: nil, tensors: [])))
      } else {
        let names = search.clues.prefix(3).map { "'\($0.name.text.escapingControls)'" }
        try output.sentence(
          "no seed from \(seeds.lowerBound) to \(seeds.upperBound) gives these values, "
            + "judged by \(names.joined(separator: ", "))"
            + (choices == nil ? "" : "; the module tree is inferred: pass --model"))
      }
      try output.flush()
      throw ExitCode(1)
    }

    private func printFound(
      _ found: SeedSearch.Found, _ seeds: ClosedRange<UInt32>, _ verification: Verification,
      library: Library, inDoubt: Set<TensorName>
    ) throws {
      func fate(_ tensor: Verification.Tensor) -> Fate {
        inDoubt.contains(tensor.name) ? .undetermined : Fate(tensor.outcome)
      }
      var output = StandardOutput()
      if report.json {
        let tensors = verification.tensors.map {
          Report.Tensor(
            name: $0.name.text, isIdentical: $0.outcome.isVerified, outcome: fate($0).key)
        }
        try output.line(
          try jsonText(
            Report(
              file: file, range: [seeds.lowerBound, seeds.upperBound], seed: found.seed,
              foundBy: found.clue.text, library: library == .torch ? nil : library.rawValue,
              tensors: tensors)))
      } else {
        let tensors = Dictionary(grouping: verification.tensors, by: fate)
        let identical = tensors[.untouched]?.count ?? 0
        let total =
          identical + (tensors[.changed]?.count ?? 0) + (tensors[.undetermined]?.count ?? 0)
        try output.line("seed \(found.seed)")
        try output.sentence(
          "found by '\(found.clue.text.escapingControls)'"
            + (library == .torch ? "; " : ", as \(library.rawValue) initializes it; ")
            + "\(identical.grouped) of \(total.pluralized("tensor")) \(total == 1 ? "is" : "are") identical"
        )
        if identical == verification.tensors.count { return try output.flush() }
        for fate in Fate.allCases {
          let tensors = tensors[fate] ?? []
          for tensor in tensors.prefix(20) {
            let line = "\(fate.rawValue): \(tensor.name.text.escapingControls)"
            try output.line(Terminal.columns.map { line.withoutMiddle(fitting: $0) } ?? line)
          }
          if tensors.count > 20 {
            try output.line("… and \((tensors.count - 20).grouped) more \(fate.rawValue)")
          }
        }
      }
      try output.flush()
    }

    /// What became of a tensor since it was drawn; raw values are what is printed before its name.
    private enum Fate: String, CaseIterable {
      case untouched
      case changed
      /// Its class or place in the order of drawing is not known without a model.
      case undetermined
      case unexpected = "not in the model"
      case missing = "missing from the file"

      init(_ outcome: Verification.Outcome) {
        self =
          switch outcome {
          case .identical, .rounded: .untouched
          case .unexpected: .unexpected
          case .missing: .missing
          case .otherPath, .near, .different, .retyped, .reshaped, .uncovered: .changed
          }
      }

      /// The outcome in JSON.
      var key: String {
        switch self {
        case .untouched, .changed, .undetermined: rawValue
        case .unexpected: "notInModel"
        case .missing: "missing"
        }
      }
    }

    private func bounds(_ text: String) throws -> ClosedRange<UInt32> {
      let parts = text.firstRange(of: "..").map { dots in
        (String(text[..<dots.lowerBound]), String(text[dots.upperBound...]))
      }
      guard let parts, let first = UInt32(parts.0), let last = UInt32(parts.1), first <= last else {
        throw ValidationError("--range \(text): expected FIRST..LAST within 0..4294967295")
      }
      return first...last
    }
  }
}
