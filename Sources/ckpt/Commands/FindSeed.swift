import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct FindSeed: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      commandName: "find-seed",
      abstract: "Find the seed from which a checkpoint's untouched weights were drawn.",
      discussion: """
        Works on a trained checkpoint as long as one random tensor is untrained (for example, a frozen \
        layer or a head saved before training). Only the low 32 bits of a seed matter. Exit status 1 \
        if no seed in the range matches.

        Lists the untouched tensors, then the changed ones, then those that only the file or only the \
        model has. Names that differ from the model's by a prefix (module., _orig_mod., model.) are \
        paired and noted; --rename pairs others.

        EXAMPLES
          ckpt find-seed net.h5 --model model.txt
          ckpt find-seed trained.h5 --model model.txt --range 0..4294967295
          ckpt find-seed wrapped.pt --model model.txt --rename 's/^net\\.//'
          ckpt find-seed net.h5 --model gpt.txt --rule 'Linear: weight=normal(0, 0.02)'
        """)

    @Argument(help: "A checkpoint; '-' for standard input.") var file: String
    @Option(help: ArgumentHelp("Seeds to try, inclusive.", valueName: "first..last"))
    var range = "0..100000"
    @OptionGroup var recipeOptions: RecipeOptions
    @OptionGroup var renaming: RenameOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard recipeOptions.seed == nil else {
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
      let tensors: [Tensor]
    }

    func run() async throws {
      let seeds = try bounds(range)
      let checkpoint = try inputs.open(file, common).checkpoint
      var base = try selection.model == nil ? checkpoint.recipe() : nil
      base?.steps = []
      var model = try selection.model.map { try Model(file: $0, extra: recipeOptions.extra) }
      if model == nil && base == nil {
        let tree = try checkpoint.tree()
        tree.notes.forEach(common.notes(on: file))
        model = try tree.model()
      }
      var recipe = try recipeOptions.recipe(over: base, model: model)
      try naming(file) { try renaming.requireMatches(among: [checkpoint], and: recipe.model) }
      let pairing = try renaming.pairing(
        of: checkpoint, with: recipe.model, notes: common.notes(on: file))
      let search = try naming(file) {
        try SeedSearch(
          of: checkpoint.renamed(pairing?.partners ?? [:]), recipe: recipe,
          selection: Selection(match: selection.match, exclude: selection.exclude))
      }
      guard let found = await find(search, seeds) else {
        return try printNothing(search, seeds)
      }
      recipe.seed = Seed(UInt64(found.seed))
      let verification = try await Verification(
        of: checkpoint, against: recipe, pairing: pairing, threads: common.threads)
      try printFound(found, seeds, verification)
    }

    /// Tries the certain clues, else the earliest few others.
    private func find(_ search: SeedSearch, _ seeds: ClosedRange<UInt32>) async -> SeedSearch.Found?
    {
      let certain = search.clues.filter(\.isCertain)
      for clue in certain.isEmpty ? search.clues.prefix(8) : certain.prefix(2) {
        let bar = ProgressBar(total: seeds.count, unit: .items("seeds"), quiet: common.quiet)
        let found = await search.find(by: clue, in: seeds, threads: common.threads) { bar.add($0) }
        bar.clear()
        if let found { return found }
      }
      return nil
    }

    private func printNothing(_ search: SeedSearch, _ seeds: ClosedRange<UInt32>) throws {
      var output = StandardOutput()
      if report.json {
        try output.line(
          try jsonText(
            Report(
              file: file, range: [seeds.lowerBound, seeds.upperBound], seed: nil, foundBy: nil,
              tensors: [])))
      } else {
        let names = search.clues.prefix(3).map { "'\($0.name.text.escapingControls)'" }
        try output.line(
          "no seed from \(seeds.lowerBound) to \(seeds.upperBound) gives these values, "
            + "judged by \(names.joined(separator: ", "))")
      }
      try output.flush()
      throw ExitCode(1)
    }

    private func printFound(
      _ found: SeedSearch.Found, _ seeds: ClosedRange<UInt32>, _ verification: Verification
    ) throws {
      var output = StandardOutput()
      if report.json {
        let tensors = verification.tensors.map {
          Report.Tensor(
            name: $0.name.text, isIdentical: $0.outcome.isVerified, outcome: Fate($0.outcome).key)
        }
        try output.line(
          try jsonText(
            Report(
              file: file, range: [seeds.lowerBound, seeds.upperBound], seed: found.seed,
              foundBy: found.clue.text, tensors: tensors)))
      } else {
        let tensors = Dictionary(grouping: verification.tensors) { Fate($0.outcome) }
        let identical = tensors[.untouched]?.count ?? 0
        let total = identical + (tensors[.changed]?.count ?? 0)
        try output.line("seed \(found.seed)")
        try output.line(
          "found by '\(found.clue.text.escapingControls)'; "
            + "\(identical.grouped) of \(total.pluralized("tensor")) \(total == 1 ? "is" : "are") identical"
        )
        if identical == verification.tensors.count { return try output.flush() }
        for fate in Fate.allCases {
          let tensors = tensors[fate] ?? []
          for tensor in tensors.prefix(20) {
            try output.line("\(fate.rawValue): \(tensor.name.text.escapingControls)")
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
      case unexpected = "not in the model"
      case missing = "missing from the file"

      init(_ outcome: Verification.Outcome) {
        self =
          switch outcome {
          case .identical: .untouched
          case .unexpected: .unexpected
          case .missing: .missing
          case .otherPath, .near, .different, .reshaped, .uncovered: .changed
          }
      }

      /// The outcome in JSON.
      var key: String {
        switch self {
        case .untouched, .changed: rawValue
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
