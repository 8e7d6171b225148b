import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Diff: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare two checkpoints value by value, in any formats.",
      usage: "ckpt diff [<options>] <first> <second>",
      discussion: """
        The first line answers: same architecture? what changed? frozen? NaN? On a terminal, tensors are \
        then summed by module so that they fit, as --depth says; elsewhere each has a line. The article \
        Comparing explains the columns. Exit status 1 if they differ, 2 if what can be read is equal but \
        some tensors cannot be read.

        EXAMPLES
          ckpt diff before.h5 after.ckz
          ckpt diff before.h5 after.ckz --sort rel --top 5
          ckpt diff a.h5 b.h5 --rtol 1e-5 --atol 1e-8 --match Linear
          ckpt diff -q a.h5 b.h5 && echo equal
          ckpt diff plain.pt wrapped.pt --rename 's/^net\\.//'
          ckpt diff epoch3.pt epoch7.pt --fail-on nan,architecture
          ckpt diff epoch3.pt epoch7.pt --patch epoch7-patch.ckz
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var first: String
    @Argument(help: "The other checkpoint. Either argument may be '-'.", completion: .file())
    var second: String
    @OptionGroup var comparison: ComparisonOptions
    @OptionGroup var renaming: RenameOptions
    @OptionGroup var view: DiffViewOptions
    @Option(
      help: ArgumentHelp(
        "Write a patch for 'ckpt apply'; it covers whole files.",
        valueName: "file"), completion: .file())
    var patch: String?
    @Flag(help: "Replace an existing patch or map.") var force = false
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool {
      first != "-" && second != "-" && patch == nil && comparison.writeMap == nil
    }

    func validate() throws {
      guard first != "-" || second != "-" else {
        throw ValidationError("standard input ('-') may be given only once")
      }
      try validatePatch()
    }

    func run() async throws {
      let selection = try selection.selection
      let names = try renaming.names(map: comparison.map)
      let outputs = [patch, comparison.writeMap].compactMap { $0 }
      for path in outputs { _ = try target(path) }
      let sources = try inputs.open(first, second, common, all: patch != nil)
      for path in outputs { try refuseReadFile(path) }
      try naming(first) {
        try renaming.requireMatches(among: [sources.0.checkpoint, sources.1.checkpoint], and: nil)
      }
      let pairing = try NamePairing(sources.0.checkpoint, sources.1.checkpoint, names: names)
      notePrefix(pairing)
      let (left, right) = try naming(first) {
        try selection.pair(
          sources.0.checkpoint, sources.1.checkpoint, pairing: pairing,
          notes: common.notes(on: first))
      }
      let diff = try await compare(left, right, pairing)
      if let patch { try await write(patch, sources, pairing) }
      if let path = comparison.writeMap { try await writeMap(path, diff) }
      let unread = Set(left.leftOut.keys).union(right.leftOut.keys).sorted()
      let values = ValueDiff(from: sources.0.checkpoint, to: sources.1.checkpoint)
      let notCompared = unread.first.map { name in
        "\(unread.count.pluralized("tensor")) not compared, which cannot be read"
          + " (first: '\(name.text)')".escapingControls
      }
      // The exit status, or a list of names, is the answer; that some have none is not left unsaid.
      if common.quiet || view.nameOnly, let notCompared { StandardError().note(notCompared) }
      if !common.quiet { try print(diff, values, pairing, unread, notCompared) }
      if comparison.isFailure(diff, values) { throw ExitCode(1) }
      if !unread.isEmpty { throw ExitCode(2) }
    }

    private func compare(
      _ left: Checkpoint, _ right: Checkpoint, _ pairing: NamePairing
    ) async throws -> CheckpointDiff {
      let bar = ProgressBar(unit: .bytes, quiet: common.quiet)
      defer { bar.clear() }
      var first = left
      if comparison.full { first.entries = left.unsummed }
      return try await CheckpointDiff(
        from: first, to: right, map: pairing.partners, tolerance: comparison.tolerance,
        ignoringTypes: comparison.ignoreDtype,
        measuring: !common.quiet && !view.nameOnly || comparison.needsMeasures,
        threads: common.threads, progress: bar.handler)
    }

    private func print(
      _ diff: CheckpointDiff, _ values: ValueDiff, _ pairing: NamePairing, _ unread: [TensorName],
      _ notCompared: String?
    ) throws {
      var output = StandardOutput()
      if view.nameOnly {
        for change in diff.changes { try output.line(change.name.text.escapingControls) }
      } else if report.json {
        try output.line(
          try jsonText(
            DiffReport(
              diff, values: values, first: first, second: second, pairing: pairing,
              notCompared: unread)))
      } else {
        let printer = DiffPrinter(
          diff: diff, values: values, first: displayPath(first), second: displayPath(second),
          view: view, hasTolerance: comparison.tolerance != .none)
        for line in printer.lines { try output.line(line) }
        if let notCompared { try output.line(notCompared) }
        if comparison.values {
          for change in values.changes {
            try output.line("value \(change.text)".fittingTerminal)
          }
        } else if let line = values.summary {
          try output.line(line.fittingTerminal)
        }
      }
      try output.flush()
    }

    private func notePrefix(_ pairing: NamePairing) {
      if !pairing.secondPrefix.isEmpty {
        common.notes(on: second)(pairing.inverted.note(of: displayPath(first)))
      } else if pairing.hasPrefix {
        common.notes(on: first)(pairing.note(of: displayPath(second)))
      }
    }
  }
}

extension Checkpoint {
  /// The tensors without the digests that the file stores of them.
  fileprivate var unsummed: [Checkpoint.Entry] {
    entries.map { entry in
      var entry = entry
      (entry.storedDigest, entry.chainingValues) = (nil, [])
      return entry
    }
  }
}
