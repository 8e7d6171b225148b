import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Verify: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract: "Redraw the values and compare them: is this file, or this seed, reproducible?",
      discussion: """
        With a FILE, every tensor is compared with what a recipe gives: the file's own, or that of \
        --model with --seed and --rule. Exit status 0 only if all that the recipe covers are identical: \
        after reinit of a trained file these are the redrawn tensors, after reinit --from none. Names that differ from the model's \
        by a prefix (module., _orig_mod., model.) are paired and noted; --rename pairs others.

        With --seeds, values are drawn twice for each seed, with one thread and with all, and compared. \
        Across seeds, random tensors must differ, all others must agree, and means and standard \
        deviations must match their distributions.

        EXAMPLES
          ckpt verify net.h5
          ckpt verify net.h5 --model model.txt --seed 0
          ckpt verify wrapped.pt --model model.txt --seed 0 --rename 's/^net\\.//'
          ckpt verify --model model.txt --seeds 0..31
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String?
    @Option(
      help: ArgumentHelp(
        "The model to initialize, instead of the file's recipe.", valueName: "file"),
      completion: .file())
    var model: String?
    @Option(help: "A recipe file, or a checkpoint that has a recipe.", completion: .file())
    var recipe: String?
    @Option(help: ArgumentHelp("Seeds to survey, inclusive.", valueName: "first..last"))
    var seeds: String?
    @OptionGroup var seedOptions: SeedOptions
    @OptionGroup var recipeOptions: RecipeOptions
    @OptionGroup var renaming: RenameOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { true }

    func validate() throws {
      if let seeds {
        try checkingUsage { _ = try range(seeds) }
        guard file == nil else {
          throw ValidationError("--seeds surveys a model; remove FILE")
        }
        guard model != nil || recipe != nil else {
          throw ValidationError("--seeds needs --model MODEL or --recipe FILE")
        }
        guard seedOptions.seed == nil else {
          throw ValidationError("--seeds and --seed exclude each other")
        }
      } else if file == "-" && (model == "-" || recipe == "-") {
        throw ValidationError("standard input ('-') may be given only once")
      } else if file == nil {
        throw ValidationError("missing FILE; or pass --model MODEL --seeds FIRST..LAST")
      }
    }

    func run() async throws {
      if let seeds {
        try await survey(try range(seeds))
      } else if let file {
        try await verify(file)
      }
    }

    private func verify(_ file: String) async throws {
      let checkpoint = try inputs.open(file, common).checkpoint
      var base = try recipe.map { try Recipe(file: $0) }
      if base == nil && model == nil { base = try naming(file) { try checkpoint.recipe() } }
      guard base != nil || model != nil else {
        throw CheckpointError(
          .missing, "has no recipe; pass --model MODEL --seed N",
          path: displayPath(file))
      }
      let model = try model.map { try Model(file: $0, extra: recipeOptions.extra) }
      let recipe = try recipeOptions.recipe(
        over: base, model: model, seed: seedOptions.seed)
      try naming(file) { try renaming.requireMatches(among: [checkpoint], and: recipe.model) }
      let pairing = try renaming.pairing(
        of: checkpoint, with: recipe.model, notes: common.notes(on: file))
      let progress = Progress(reading: checkpoint.entries, quiet: common.quiet)
      let verification = try await naming(self.model ?? self.recipe ?? file) {
        try await Verification(
          of: progress.tracking(checkpoint), against: recipe, pairing: pairing,
          threads: common.threads)
      }
      progress.finish()
      try print(verification, file: file)
      if !verification.isVerified, !verification.coversNothing { throw ExitCode(1) }
    }

    private func print(_ verification: Verification, file: String) throws {
      var output = StandardOutput()
      if report.json {
        struct Tensor: Encodable {
          let name: String
          let outcome: String
          let detail: String?
        }
        struct Report: Encodable {
          let file: String
          let isVerified: Bool
          let tensors: [Tensor]
        }
        let tensors = verification.tensors.map { tensor in
          let detail = tensor.outcome.detail
          return Tensor(
            name: tensor.name.text, outcome: tensor.outcome.word,
            detail: detail.isEmpty ? nil : detail)
        }
        try output.line(
          try jsonText(Report(file: file, isVerified: verification.isVerified, tensors: tensors)))
        return try output.flush()
      }
      var table = FittedTable([.init(), .init(isFlexible: true), .init(isFlexible: true)])
      for tensor in verification.tensors {
        let outcome = tensor.outcome
        let detail =
          if case .uncovered(let origin) = outcome { origin.text } else { outcome.detail }
        let word =
          outcome.isVerified
          ? Style.green(outcome.word)
          : outcome.isCovered ? Style.red(outcome.word) : Style.dim(outcome.word)
        table.add([word, tensor.name.text.escapingControls, detail])
      }
      for line in table.lines(fitting: Terminal.columns) { try output.line(line) }
      try output.sentence(Self.summary(verification))
      try output.flush()
    }

    /// The last line: the answer, and what it does not cover.
    private static func summary(_ verification: Verification) -> String {
      let identical = verification.tensors.count { $0.outcome.isVerified }
      let covered = verification.tensors.count { $0.outcome.isCovered }
      let uncovered = verification.tensors.count - covered
      if covered == 0 && uncovered > 0 {
        return "nothing to verify: the recipe covers none of \(uncovered.pluralized("tensor"))"
      }
      let rest =
        uncovered == 0
        ? ""
        : "; \(uncovered.pluralized("tensor")) \(uncovered == 1 ? "is" : "are") not covered by the recipe"
      if identical < covered {
        return "not verified: \(identical.grouped) of \(covered.pluralized("tensor"))"
          + " \(covered == 1 ? "is" : "are") identical" + rest
      }
      if uncovered > 0 {
        return
          "verified: \(identical.pluralized("tensor")) \(identical == 1 ? "is" : "are") identical"
          + rest
      }
      let rounded = verification.tensors.contains {
        if case .rounded = $0.outcome { true } else { false }
      }
      return
        (identical == 1
        ? "verified: the one tensor is identical"
        : "verified: all \(identical.grouped) tensors are identical")
        + (rounded ? " after rounding" : "")
    }

    private func survey(_ seeds: ClosedRange<UInt64>) async throws {
      let base = try recipe.map { try Recipe(file: $0) }
      let model = try model.map { try Model(file: $0, extra: recipeOptions.extra) }
      let recipe = try recipeOptions.recipe(
        over: base, model: model, seed: seedOptions.seed)
      let bar = ProgressBar(total: seeds.count, unit: .items("seeds"), quiet: common.quiet)
      let survey = try await naming(self.model ?? self.recipe) {
        try await SeedSurvey(
          of: recipe, seeds: seeds, threads: common.threads, progress: bar.handler)
      }
      bar.clear()
      var output = StandardOutput()
      if report.json {
        struct Tensor: Encodable {
          let name: String
          let initializer: String
          let isRandom: Bool
          let mean: Double
          let standardDeviation: Double
          let expectedMean: Double?
          let expectedStandardDeviation: Double?
          let failures: [String]
        }
        struct Report: Encodable {
          let seeds: Int
          let ok: Bool
          let tensors: [Tensor]
        }
        let tensors = survey.tensors.map {
          Tensor(
            name: $0.name.text, initializer: $0.initializer, isRandom: $0.isRandom, mean: $0.mean,
            standardDeviation: $0.standardDeviation, expectedMean: $0.expected?.mean,
            expectedStandardDeviation: $0.expected?.standardDeviation, failures: $0.failures)
        }
        try output.line(
          try jsonText(Report(seeds: survey.seedCount, ok: survey.allPassed, tensors: tensors)))
      } else {
        // Initializers are long; JSON has them.
        var table = FittedTable([
          .init(), .init("name", isFlexible: true), .init("mean", .right),
          .init("expected", .right), .init("std", .right), .init("expected", .right),
          .init(isFlexible: true),
        ])
        for tensor in survey.tensors {
          table.add([
            tensor.failures.isEmpty ? Style.green("ok") : Style.red("FAIL"),
            tensor.name.text.escapingControls, tensor.mean.short,
            tensor.expected?.mean.short ?? "", tensor.standardDeviation.short,
            tensor.expected?.standardDeviation.short ?? "", tensor.failures.joined(separator: "; "),
          ])
        }
        for line in table.lines(fitting: Terminal.columns) { try output.line(line) }
        let failed = survey.tensors.count { !$0.failures.isEmpty }
        try output.line(
          "\(survey.seedCount.pluralized("seed")), \(survey.tensors.count.pluralized("tensor")): "
            + (failed == 0 ? "all checks passed" : "\(failed.grouped) fail"))
      }
      try output.flush()
      if !survey.allPassed { throw ExitCode(1) }
    }

    private func range(_ text: String) throws -> ClosedRange<UInt64> {
      guard let dots = text.firstRange(of: "..") else {
        let seed = try Seed(text).value
        return seed...seed
      }
      let first = try Seed(String(text[..<dots.lowerBound])).value
      let last = try Seed(String(text[dots.upperBound...])).value
      guard first <= last, last - first < 1_000_000 else {
        throw ValidationError(
          "--seeds \(text): expected FIRST..LAST, ascending, at most a million seeds")
      }
      return first...last
    }
  }
}

extension Verification.Outcome {
  /// What is printed before a tensor's name.
  fileprivate var word: String {
    switch self {
    case .identical: "identical"
    case .otherPath: "other CPU path"
    case .near(let difference): "within \((difference.maxULP ?? 0).grouped) ULP"
    case .different: "different"
    case .rounded: "rounded"
    case .retyped: "other dtype"
    case .reshaped: "reshaped"
    case .missing: "missing"
    case .unexpected: "unexpected"
    case .uncovered: "not covered"
    }
  }

  /// What is printed after it.
  fileprivate var detail: String {
    switch self {
    case .identical: ""
    case .near(let difference): difference.summary
    case .different(let difference), .otherPath(let difference): difference.detail
    case .rounded(let drawn): "identical after rounding from \(drawn.torchName)"
    case .retyped(let drawn, let found, let difference):
      "\(found.torchName) instead of \(drawn.torchName)"
        + (difference.map { "; after rounding: \($0.detail)" } ?? "")
    case .reshaped(let expected): "the recipe gives \(expected.dtype.rawValue) \(expected.shape)"
    case .missing: "not in the file"
    case .unexpected: "not in the recipe's model"
    case .uncovered(let origin): origin.description
    }
  }
}
