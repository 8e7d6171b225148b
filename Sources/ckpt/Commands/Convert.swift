import ArgumentParser
import CheckpointKit
import Ranks

extension Ckpt {
  struct Convert: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "convert",
      abstract: "Write a checkpoint in another format, whole or in part, in bounded memory.",
      discussion: """
        The input's format is recognized by content; the output's is chosen by file extension or --to. \
        Values that are not tensors are carried as well, typed where the format has types. Anything the \
        output cannot hold is reported on standard error.

        EXAMPLES
          ckpt convert net.h5 net.ckz
          ckpt convert net.ckz small.h5 --dtype bfloat16 --compression gzip:4
          ckpt convert model-Q4_K_M.gguf model.safetensors --dtype bfloat16
          ckpt convert wrapped.pt out.h5 --match net --rename 's/^net\\.//'
          ckpt convert trainer.pt model.safetensors --dry-run
          ckpt convert trainer.pt everything.ckz --all
          ckpt convert big.ckz out/model.safetensors --shard-size 5GB
          ckpt convert net.keras net.pt --to-torch-layout
          ckpt convert net.pt new.weights.h5 --to-keras-layout --like net.weights.h5
          ckpt convert big.ckz intact.ckz --keep-going
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var input: String
    @Argument(help: "Output file; '-' for standard output.", completion: .file()) var output: String
    @OptionGroup var selection: SelectionOptions
    @Option(
      help:
        "Cast floating-point tensors to this type. Quantized ones are cast by way of their values. Types: \(DType.floatingPoint.alternatives).",
      completion: .list(DType.floatingPoint.map(\.torchName)))
    var dtype: String?
    @Flag(
      help:
        "With --dtype, cast stored numbers without their scales. They are cast as they are, even where scales belong to them."
    )
    var raw = false
    @OptionGroup var renaming: RenameOptions
    @Option(
      help: ArgumentHelp("File of new names, one 'old = new' per line.", valueName: "file"),
      completion: .file())
    var map: String?
    @Option(
      help: ArgumentHelp(
        "Write shards of at most this size and an index. Names are model-00001-of-00003.safetensors.",
        valueName: "5GB"))
    var shardSize: String?
    @Flag(
      help:
        "Convert every part of a training checkpoint. Its tensors are named as the file nests them."
    )
    var all = false
    @Option(
      help: ArgumentHelp(
        "Write a copy of this file, with tensors replaced. Its format is kept; the only way to write Keras files.",
        valueName: "file"), completion: .file())
    var like: String?
    @OptionGroup var layout: LayoutOptions
    @Flag(
      help:
        "Convert what is intact in a damaged file. Lists what is left out, and exits with status 1."
    )
    var keepGoing = false
    @Flag(help: "Print what would be written and what cannot be; write nothing.")
    var dryRun = false
    @OptionGroup var report: ReportOptions
    @OptionGroup var target: OutputOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { like == nil && !dryRun && target.isShared(output) }

    func validate() throws {
      if raw, dtype == nil { throw ValidationError("--raw belongs to --dtype") }
      if all, inputs.key != nil { throw ValidationError("--all and --key exclude each other") }
      if report.json, output == "-", !dryRun {
        throw ValidationError("--json needs standard output, which is the output file here")
      }
      if let shardSize, WriteOptions.size(shardSize) == nil {
        throw ValidationError("--shard-size \(shardSize): expected a size such as 500MB or 5GB")
      }
      if like != nil {
        guard shardSize == nil, target.to == nil, target.compression == nil, target.parity == nil
        else {
          throw ValidationError(
            "--like keeps the template's format; omit --to, --compression, --parity, and --shard-size"
          )
        }
      }
      try checkingUsage { _ = try dtype.map { try Recipe.floatingPoint(named: $0) } }
    }

    func run() async throws {
      var destination = try destination
      var conversion = Conversion(try selection.selection)
      conversion.names = try renaming.names(map: map)
      conversion.dtype = try dtype.map { try Recipe.floatingPoint(named: $0) }
      conversion.castsStored = raw
      let found = try await openInput()
      var opened = found.opened
      conversion.damaged = found.damaged
      if let like {
        conversion.remedy = "pass --key for another"
        conversion.keptParts = like == input ? Set(opened.parts.map { TensorName($0.key) }) : []
      }
      if shardSize == nil, !dryRun { try refuseReadFile(output, besides: like ?? input) }
      let original = opened.checkpoint
      try naming(input) { try conversion.refuseLoneShard(original, named: input) }
      if original.entries.isEmpty { common.notes(on: input)("contains no tensor") }
      opened.checkpoint = try naming(input) {
        try layout.apply(
          to: original, like: destination.template?.checkpoint, note: common.notes(on: input))
      }
      var result = try naming(input) { try conversion.applied(to: opened) }
      try found.requireIntact(result.checkpoint, in: input)
      if result.checkpoint.isNested { destination.nest() }
      let plan = ConversionPlan(
        of: result, from: opened.checkpoint, to: destination.format, options: destination.options,
        isCopy: destination.template != nil)
      (plan.losses + [plan.ties].compactMap { $0 }).forEach(common.notes(on: input))
      if dryRun {
        try print(plan, destination.format)
        return try found.reportLeftOut()
      }
      if result.isChanged || layout.isAsked {
        var provenance = try Provenance(of: original)
        // Hashing an input that stores no digests would read it a second time.
        let inputs = Manifest(storedIn: original).map { [Fingerprint($0)] } ?? []
        provenance.add(command: "convert", options: options, inputs: inputs)
        result.checkpoint.setText(try provenance.json, for: Checkpoint.provenanceKey)
      }
      var files = try await write(result.checkpoint, to: destination)
      try result.overflows.gather(from: .current)
      noteOverflows(result.overflows, conversion.dtype)
      if report.json { try print(Written(files: files.isEmpty ? [output] : files, plan: plan)) }
      let path = files.popLast() ?? output
      common.wrote(path, result.checkpoint.counts + (files.isEmpty ? [] : [Self.list(files)]))
      try found.reportLeftOut()
    }

    /// What was written: the plan, and the files, an index last.
    private struct Written: Encodable {
      let files: [String]
      let plan: ConversionPlan

      enum CodingKeys: CodingKey { case files }

      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(files, forKey: .files)
        try plan.encode(to: encoder)
      }
    }

    private func print(_ written: Written) throws {
      var output = StandardOutput()
      try output.line(try jsonText(written))
      try output.flush()
    }

    /// The names of shards; of many, the first and the last.
    private static func list(_ paths: [String]) -> String {
      let names = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        .map(\.escapingControls)
      let list =
        names.count > 3
        ? "\(names[0]) to \(names[names.count - 1])" : names.joined(separator: ", ")
      return "in \(names.count.pluralized("file")): \(list)"
    }

    /// Where the result goes.
    private enum Destination {
      case file(CheckpointTarget)
      case shards(ShardedTarget)
      case copy(CopyTarget, of: CheckpointSource)

      var format: CheckpointFormat {
        switch self {
        case .file(let target): target.format
        case .shards(let target): target.format
        case .copy(_, let template): template.format
        }
      }

      /// How the tensors are stored.
      var options: WriteOptions {
        if case .file(let target) = self { target.options } else { WriteOptions() }
      }

      /// Nests tensors as the input did.
      mutating func nest() {
        guard case .file(var target) = self else { return }
        target.options.nests = true
        self = .file(target)
      }

      /// The file of which a copy is filled.
      var template: CheckpointSource? {
        if case .copy(_, let template) = self { template } else { nil }
      }
    }

    private var destination: Destination {
      get throws {
        if let like {
          var reading = OpenOptions()
          reading.notesParts = false
          let template = try CheckpointSource.open(like, options: reading, notes: common.note)
          if let named = CheckpointFormat.named(byEndingOf: output),
            named.name != template.format.name, output.ending != like.ending
          {
            throw ValidationError(
              "--like: the template's format is \(template.format.name), but the output is named like \(named.name)"
            )
          }
          return .copy(
            try CopyTarget(copying: template.probe, to: output, overwrites: target.force),
            of: template)
        }
        if let size = shardSize.flatMap(WriteOptions.size) {
          return .shards(
            try ShardedTarget(
              output, format: try target.format, limit: size, options: target.writeOptions(common),
              overwrites: target.force))
        }
        var file = try target.target(output, common)
        file.options.nests = all
        return .file(file)
      }
    }

    /// Writes the result; returns the paths of its files where there are several, the index last.
    private func write(
      _ checkpoint: Checkpoint, to destination: Destination
    ) async throws -> [String] {
      switch destination {
      case .file(let target):
        try await target.write(checkpoint, showing: common)
        return []
      case .shards(let target):
        let written = try await target.write(checkpoint, showing: common)
        written.notes.forEach(common.notes(on: output))
        written.warnings.forEach(common.warnings(on: output))
        return written.paths
      case .copy(let target, let template):
        let progress = Progress(reading: checkpoint.entries, quiet: common.quiet)
        defer { progress.finish() }
        let filled = try await template.filled(
          withAllOf: progress.entries, metadata: checkpoint.recorded,
          isPartial: !selection.match.isEmpty || !selection.exclude.isEmpty,
          threads: common.threads)
        filled.losses.forEach(common.notes(on: output))
        try await target.write(filled).warnings.forEach(common.warnings(on: output))
        return []
      }
    }

    /// The options that shaped the values, as they were typed.
    private var options: [String] {
      var options = selection.match.flatMap { ["--match", $0] }
      options += selection.exclude.flatMap { ["--exclude", $0] }
      if let dtype { options += ["--dtype", dtype] }
      if raw { options.append("--raw") }
      options += renaming.rename.flatMap { ["--rename", $0] }
      if let map { options += ["--map", map] }
      if all { options.append("--all") }
      if keepGoing { options.append("--keep-going") }
      if like != nil { options.append("--like") }
      return options + layout.options
    }
  }
}
