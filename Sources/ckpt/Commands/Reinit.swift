import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Reinit: AsyncParsableCommand, ReportCommand {
    static let configuration = CommandConfiguration(
      commandName: "reinit",
      abstract: "Redraw selected layers of a checkpoint, or copy them from another; keep the rest.",
      discussion: """
        The selected parameters get the values that a loop over their modules would give them after \
        torch.manual_seed(SEED): each layer's own reset_parameters, or what the rules say. Everything \
        else is unchanged. The step is recorded in the checkpoint, so that verify can repeat it.

        Names that differ from those of --model or --from by a prefix (module., _orig_mod., model.) are \
        paired and noted; --rename pairs others, and selectors then mean the new names. The file keeps \
        its names.

        EXAMPLES
          ckpt reinit net.h5 --match Linear --seed 1 -o again.h5
          ckpt reinit net.h5 --match Linear --rule 'Linear: bias=0' --in-place
          ckpt reinit w.pt --model model.txt --match fc --rename 's/^net\\.//' -o b.pt
          ckpt reinit net.h5 --match layer4 --from pretrained.h5 -o mixed.h5
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String
    @OptionGroup var selection: SelectionOptions
    @Option(
      name: .long,
      help: ArgumentHelp(
        "Reinitialize as in 'Linear: weight=xavier_uniform'. May be repeated. Default: each layer's own initialization.",
        valueName: "selector: parameter=initializer"))
    var rule: [String] = []
    @Option(parsing: .unconditional, help: "Argument of torch.manual_seed for the new generator.")
    var seed = "0"
    @Option(
      help:
        "Order of the rules' loop: modules, apply, or rules. modules is pre-order, and apply post-order; with rules, each rule walks the whole model before the next.",
      completion: .list(Rule.Order.allCases.map(\.rawValue)))
    var order = "modules"
    @Option(
      help: ArgumentHelp(
        "Copy the selected tensors from this checkpoint instead.", valueName: "file"),
      completion: .file())
    var from: String?
    @OptionGroup var renaming: RenameOptions
    @Option(name: .shortAndLong, help: "Output file; '-' for standard output.", completion: .file())
    var output: String?
    @Flag(help: "Replace FILE atomically.") var inPlace = false
    @Flag(
      help:
        "Separate selected tensors from those tied to them. By default, both are changed.")
    var untie = false
    @Flag(
      help:
        "Print what would be replaced; write nothing. What would be lost is listed as well."
    )
    var dryRun = false
    @OptionGroup var target: OutputOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard !selection.match.isEmpty else {
        throw ValidationError("missing --match SELECTOR; '**' selects everything")
      }
      guard dryRun || (output != nil) != inPlace else {
        throw ValidationError("pass exactly one of -o OUT and --in-place, or --dry-run")
      }
      guard file != "-" || from != "-" else {
        throw ValidationError("standard input ('-') may be given only once")
      }
      try checkingUsage {
        _ = try (rule.map { try Rule($0) }, Rule.Order(named: order), Seed(seed))
      }
      guard !(inPlace && file == "-") else {
        throw ValidationError("--in-place: standard input cannot be replaced")
      }
      guard renaming.rename.isEmpty || selection.model != nil || from != nil else {
        throw ValidationError("--rename pairs names with those of --model or --from")
      }
      guard !(inPlace && untie) else {
        throw ValidationError("--untie writes a new file: pass -o OUT instead of --in-place")
      }
      guard from == nil || rule.isEmpty else {
        throw ValidationError("--from and --rule exclude each other")
      }
    }

    private struct Report: Encodable {
      let file: String
      let output: String?
      let replaced: [String]
      /// What the output does not hold, one sentence each.
      let losses: [String]
    }

    func run() async throws {
      let path = inPlace ? file : output
      let selected = try selection.selection
      let model = selected.model
      let input = try inputs.open(file, common, notesParts: false)
      var opened = input.opened
      try opened.confirmTies().forEach(common.notes(on: file))
      let renames =
        try renaming.rename.isEmpty
        ? nil : renaming.pairing(of: opened.checkpoint, with: model, notes: { _ in })
      let other = try from.map { try CheckpointSource.open($0, notes: common.note).checkpoint }
      opened.checkpoint = opened.checkpoint.renamed(renames?.partners ?? [:])
      let source = opened.checkpoint
      if !inPlace, !dryRun, let path { try refuseReadFile(path, besides: file) }
      let output = try path.map { try self.output($0, of: input) }
      if output?.isNew != true { input.opened.partsNote.map(common.notes(on: file)) }
      var untied: Set<TensorName> = []
      try naming(file) {
        try renaming.requireMatches(
          among: [input.checkpoint, other].compactMap { $0 }, and: model)
      }
      var tree = try naming(file) { try source.tree(model: model) }
      tree.notes.forEach(common.notes(on: file))
      _ = try naming(file) { try selected.entries(of: source, tree: tree.module) }
      var step = Reinitialization(
        match: try selection.match.map { try Selector($0) },
        exclude: try selection.exclude.map { try Selector($0) })
      step.rules = try rule.map { try Rule($0) }
      step.order = try Rule.Order(named: order)
      step.seed = try Seed(seed)
      if untie {
        try naming(file) {
          untied = Set(try step.names(in: source, tree: tree))
          opened.checkpoint.untie(untied)
          tree = try opened.checkpoint.tree(model: model)
        }
      }
      var result: Reinitialization.Result
      var inputs: [Fingerprint] = []
      if let from, var other {
        let fingerprint = Fingerprint(try await common.manifest(of: other))
        let pairing = try NamePairing(source, other, names: renaming.names())
        if pairing.hasPrefix { common.notes(on: file)(pairing.note(of: displayPath(from))) }
        other = other.renamed(pairing.inverse)
        inputs.append(fingerprint)
        result = try naming(file) {
          try step.applied(
            to: opened, tree: tree, copyingFrom: other, fingerprint: fingerprint)
        }
      } else {
        result = try naming(file) { try step.applied(to: opened, tree: tree) }
      }
      result.notes.forEach(common.notes(on: file))
      try await noteUnchanged(result, source)
      if let names = renames?.inverse {
        result.checkpoint = result.checkpoint.renamed(names)
        result.replaced = result.replaced.map { names[$0] ?? $0 }
        untied = Set(untied.map { names[$0] ?? $0 })
      }
      opened.checkpoint = result.checkpoint
      var plan = try await naming(file) {
        try await self.plan(result, opened, untied: untied, of: input, to: output)
      }
      plan.losses.forEach(common.notes(on: file))
      if let output, let path, !dryRun {
        var provenance = try Provenance(of: source)
        if let stored = Manifest(storedIn: source) { inputs.insert(Fingerprint(stored), at: 0) }
        provenance.add(command: "reinit", options: options, inputs: inputs)
        plan.checkpoint.setText(try provenance.json, for: Checkpoint.provenanceKey)
        try await write(plan, of: input, to: output)
        let count =
          "\(result.replaced.count.grouped) of \(source.entries.count.pluralized("tensor"))"
        let origin = from.map { "copied \(count) from \(displayPath($0).escapingControls)" }
        common.wrote(path, [origin ?? "redrew \(count), seed \(seed)"])
      }
      var text = StandardOutput()
      if report.json {
        try text.line(
          try jsonText(
            Report(
              file: file, output: dryRun ? nil : path, replaced: result.replaced.map(\.text),
              losses: plan.losses)))
      } else if dryRun {
        for name in result.replaced { try text.line(name.text.escapingControls) }
      }
      try text.flush()
    }

    /// The options that shaped the values, as they were typed.
    private var options: [String] {
      selection.match.flatMap { ["--match", $0] } + selection.exclude.flatMap { ["--exclude", $0] }
        + rule.flatMap { ["--rule", $0] } + (from == nil ? ["--seed", seed] : ["--from"])
        + ["--order", order]
    }
  }
}
