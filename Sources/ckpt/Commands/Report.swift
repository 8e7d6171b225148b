import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Report: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      commandName: "report",
      abstract: "Write an HTML page on a checkpoint, on two and how they differ, or on a run.",
      usage: """
        ckpt report [<options>] <file> [<file>] -o <page>
        ckpt report [<options>] --run <files> ... -o <page>
        """,
      discussion: """
        The page is one file that loads nothing: modules and sizes, types, norms, histograms, a map of \
        layers by depth, a table to sort and filter, values, recipe, and provenance; of two checkpoints \
        also what changed, by how much, and where NaN begins. --run takes the checkpoints of a training \
        run in their order, or a pack. --json prints the data.

        EXAMPLES
          ckpt report net.h5 -o net.html
          ckpt report before.h5 after.ckz -o report.html
          ckpt report a.h5 b.h5 --match '*.weight' --json
          ckpt report --run run/*.pt -o run.html
          ckpt report --run run.ckz -o pack.html
        """)

    @Argument(help: "One checkpoint or two; with --run, those of a run, or a pack.")
    var files: [String]
    @Flag(
      name: .customLong("run"),
      help: "Report on a training run over its checkpoints, in the order given.")
    var isRun = false
    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp("The page; '-' for standard output.", valueName: "page"))
    var output: String?
    @Flag(help: "Replace an existing page.") var force = false
    @OptionGroup var renaming: RenameOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard output != nil || report.json else {
        throw ValidationError("expected -o PAGE, --json, or both")
      }
      if output == "-", report.json {
        throw ValidationError("-o - and --json both write to standard output")
      }
      if output == "-", StandardOutput.isTerminal {
        throw ValidationError("standard output is a terminal; redirect it, or give a file")
      }
      if !isRun, files.count > 2 {
        throw ValidationError(
          "expected one checkpoint or two, found \(files.count); --run takes those of a run")
      }
      if files.count(where: { $0 == "-" }) > 1 {
        throw ValidationError("standard input ('-') may be given only once")
      }
      if isRun, !renaming.rename.isEmpty {
        throw ValidationError("--rename pairs two checkpoints; remove it or --run")
      }
    }

    func run() async throws {
      let target = try output.map(target)
      let selection = try selection.selection
      let (page, json, counts) =
        isRun ? try await runPage(selection) : try await page(selection)
      if report.json {
        var output = StandardOutput()
        try output.line(json())
        try output.flush()
      }
      guard let target, let path = output else { return }
      try refuseReadFile(path)
      let bytes = page.bytes
      try naming(path) {
        let sink =
          try target.place?.create(target.name, replacing: force) ?? ByteSink.standardOutput()
        try sink.append(bytes.rawBytes)
        try sink.commit()
      }
      common.wrote(path, counts + [bytes.count.byteCountText])
    }

    /// Where the page goes, refused before any work if it cannot be written.
    private func target(_ path: String) throws -> (place: Place?, name: String) {
      if path == "-" { return (nil, path) }
      let (place, name) = Place.locate(path)
      _ = try naming(path) { try place.create(name, replacing: force) }
      return (place, name)
    }

    private typealias Outcome = (page: ReportPage, json: () throws -> String, counts: [String])

    private func page(_ selection: Selection) async throws -> Outcome {
      guard files.count == 2 else {
        let source = try inputs.open(files[0], common)
        var checkpoint = source.checkpoint
        checkpoint.entries = try naming(files[0]) {
          try selection.entries(of: checkpoint, notes: common.notes(on: files[0]))
        }
        let progress = Progress(reading: checkpoint.entries, quiet: common.quiet)
        defer { progress.finish() }
        let report = try await CheckpointKit.Report(
          on: input(source, progress.tracking(checkpoint)), threads: common.threads)
        return outcome(report)
      }
      let names = try renaming.names()
      let sources = try inputs.open(files[0], files[1], common)
      var (left, right) = (sources.0.checkpoint, sources.1.checkpoint)
      try naming(files[0]) { try renaming.requireMatches(among: [left, right], and: nil) }
      let pairing = try NamePairing(left, right, names: names)
      if pairing.hasPrefix {
        let other = pairing.secondPrefix.isEmpty ? files[1] : files[0]
        let noted = pairing.secondPrefix.isEmpty ? pairing : pairing.inverted
        common.notes(on: pairing.secondPrefix.isEmpty ? files[0] : files[1])(
          noted.note(of: displayPath(other)))
      }
      (left, right) = try naming(files[0]) {
        try selection.pair(left, right, pairing: pairing, notes: common.notes(on: files[0]))
      }
      let count = left.entries.count
      let progress = Progress(reading: left.entries + right.entries, quiet: common.quiet)
      defer { progress.finish() }
      left.entries = Array(progress.entries.prefix(count))
      right.entries = Array(progress.entries.dropFirst(count))
      let report = try await CheckpointKit.Report(
        from: input(sources.0, left), to: input(sources.1, right), map: pairing.partners,
        threads: common.threads)
      return outcome(report)
    }

    private func input(
      _ source: CheckpointSource, _ checkpoint: Checkpoint
    ) -> CheckpointKit.Report.Input {
      .init(path: displayPath(source.path), format: source.format.name, checkpoint: checkpoint)
    }

    private func outcome(_ report: CheckpointKit.Report) -> Outcome {
      let differing = report.tensors.count { $0.kind != nil && $0.kind != .identical }
      return (
        ReportPage(report), { try jsonText(report) },
        [report.tensors.count.pluralized("tensor")]
          + (report.inputs.count == 2 ? ["\(differing.grouped) of them differ"] : [])
      )
    }

    private func runPage(_ selection: Selection) async throws -> Outcome {
      let steps = try runSteps()
      let bar = ProgressBar(total: steps.count, unit: .items("steps"), quiet: common.quiet)
      defer { bar.clear() }
      let report = try await RunReport(
        over: steps, threads: common.threads,
        select: { try selection.entries(of: $0) }, progress: bar.handler)
      let title =
        steps.count == 1 ? steps[0].name : "\(steps[0].name) … \(steps[steps.count - 1].name)"
      return (
        ReportPage(report, title: files.count == 1 ? displayPath(files[0]) : title),
        { try jsonText(report) },
        [steps.count.pluralized("step"), report.tensors.count.pluralized("tensor")]
      )
    }

    /// The steps of a pack, or the files.
    private func runSteps() throws -> [RunReport.Step] {
      if files.count == 1, let pack = try RunPack(.checkpoint(files[0])) {
        return pack.steps.enumerated().map { number, step in
          let path = "\(files[0])@\(number)"
          return RunReport.Step(step.name) { try Self.checkpoint(number, of: pack, path) }
        }
      }
      guard files.count > 1 else {
        throw CheckpointError(
          .unsupported, "is not a pack; --run takes the checkpoints of a run, or a pack",
          path: displayPath(files[0]))
      }
      let (inputs, common) = (inputs, common)
      return files.map { file in
        RunReport.Step(file.lastComponent) { try inputs.open(file, common).checkpoint }
      }
    }

    private static func checkpoint(
      _ step: Int, of pack: RunPack, _ path: String
    ) throws -> Checkpoint {
      try naming(path) {
        var checkpoint = try pack.checkpoint(step)
        try Budget.current.checkValues(
          of: checkpoint.total().byteCount, inFileOf: pack.byteCount)
        for index in checkpoint.entries.indices { checkpoint.entries[index].path = path }
        return checkpoint
      }
    }
  }
}
