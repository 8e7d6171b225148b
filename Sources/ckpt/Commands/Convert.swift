import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Convert: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a checkpoint in another format, whole or in part, in bounded memory.",
      discussion: """
        The input's format is recognized by content; the output's is chosen by file extension or --to. \
        Values that are not tensors are carried as well, typed where the format has types. Anything the \
        output cannot hold is reported on standard error.

        EXAMPLES
          ckpt convert net.h5 net.ckz
          ckpt convert net.ckz small.h5 --dtype bfloat16 --compression gzip:4
          ckpt convert wrapped.pt out.h5 --match net --rename 's/^net\\.//'
          ckpt convert trainer.pt model.safetensors --dry-run
          ckpt convert trainer.pt everything.ckz --all
          ckpt convert big.ckz out/model.safetensors --shard-size 5GB
          ckpt convert net.keras net.pt --to-torch-layout
          ckpt convert net.pt new.weights.h5 --to-keras-layout --like net.weights.h5
        """)

    @Argument(help: "A checkpoint; '-' for standard input.") var input: String
    @Argument(help: "Output file; '-' for standard output.") var output: String
    @OptionGroup var selection: SelectionOptions
    @Option(help: "Cast floating-point tensors to this type: \(DType.floatingPoint.alternatives).")
    var dtype: String?
    @OptionGroup var renaming: RenameOptions
    @Option(help: ArgumentHelp("File of new names, one 'old = new' per line.", valueName: "file"))
    var map: String?
    @Option(
      help: ArgumentHelp(
        "Write shards of at most this size and an index, such as model-00001-of-00003.safetensors.",
        valueName: "5GB"))
    var shardSize: String?
    @Flag(
      help: "Convert every part of a training checkpoint, its tensors named as the file nests them."
    )
    var all = false
    @OptionGroup var layout: LayoutOptions
    @Flag(help: "Print what would be written and what cannot be; write nothing.")
    var dryRun = false
    @OptionGroup var report: ReportOptions
    @OptionGroup var target: OutputOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      if all, inputs.key != nil { throw ValidationError("--all and --key exclude each other") }
      if let shardSize, WriteOptions.size(shardSize) == nil {
        throw ValidationError("--shard-size \(shardSize): expected a size such as 500MB or 5GB")
      }
      try checkingUsage { _ = try dtype.map { try Recipe.floatingPoint(named: $0) } }
    }

    func run() async throws {
      let template = try self.target.template
      let shards = try shardSize.flatMap(WriteOptions.size).map { size in
        try ShardedTarget(
          output, format: self.target.to, limit: size,
          options: self.target.writeOptions(common, template: template),
          overwrites: self.target.force)
      }
      var target = try shards == nil ? self.target.target(output, common, template: template) : nil
      target?.options.nests = all
      guard let format = shards?.format ?? target?.format else { return }
      var conversion = Conversion(try selection.selection)
      conversion.names = try renaming.names(map: map)
      conversion.dtype = try dtype.map { try Recipe.floatingPoint(named: $0) }
      var opened = try inputs.open(input, common, readsValues: !dryRun, all: all).opened
      let original = opened.checkpoint
      opened.checkpoint = try naming(input) {
        try layout.apply(to: original, like: template, note: common.notes(on: input))
      }
      var result = try naming(input) { try conversion.apply(to: opened) }
      let plan = ConversionPlan(
        of: result, from: opened.checkpoint, to: format, options: target?.options ?? WriteOptions())
      (plan.losses + [plan.ties].compactMap { $0 }).forEach(common.notes(on: input))
      if dryRun { return try print(plan, format) }
      if result.isChanged || layout.isAsked {
        var provenance = try Provenance(of: original)
        // Hashing an input that stores no digests would read it a second time.
        let inputs = Manifest(storedIn: original).map { [$0.fingerprint] } ?? []
        provenance.add(command: "convert", options: options, inputs: inputs)
        result.checkpoint.metadata[Checkpoint.provenanceKey] = try provenance.json
      }
      try await target?.write(result.checkpoint, showing: common)
      var files: [String] = []
      if let shards {
        let written = try await shards.write(result.checkpoint, showing: common)
        written.notes.forEach(common.notes(on: output))
        files = written.paths
      }
      noteOverflows(result.overflows, conversion.dtype)
      let path = files.popLast() ?? output
      common.wrote(path, result.checkpoint.counts + (files.isEmpty ? [] : [Self.list(files)]))
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

    private func print(_ plan: ConversionPlan, _ format: CheckpointFormat) throws {
      var output = StandardOutput()
      if report.json {
        try output.line(try jsonText(plan))
      } else {
        var table = Table(.left, .left, .left, .right, .left)
        func change(_ old: String, _ new: String) -> String {
          (old == new ? new : "\(old) → \(new)").escapingControls
        }
        for tensor in plan.tensors {
          let remark = tensor.obstacle ?? tensor.tiedTo.map { "= \($0)" } ?? ""
          table.add(
            change(tensor.from, tensor.name), change(tensor.oldDtype, tensor.dtype),
            tensor.shape.listText, tensor.bytes.grouped, Style.dim(remark.escapingControls))
        }
        for line in table.lines { try output.line(line) }
        let bytes = plan.tensors.filter { $0.tiedTo == nil || !format.capabilities.sharesBytes }
          .map(\.bytes).saturatedSum()
        let left = plan.leftOut.isEmpty ? "" : ", \(plan.leftOut.count.grouped) left out"
        try output.line(
          "\(plan.tensors.count.pluralized("tensor"))\(left), \(bytes.byteCountText) to \(format.name); nothing was written"
        )
      }
      try output.flush()
      if let tensor = plan.tensors.first(where: { $0.obstacle != nil }) {
        throw CheckpointError(
          .unsupported, tensor.obstacle ?? "", path: displayPath(input), tensor: tensor.name)
      }
    }

    /// Reports values that became infinite, naming the first tensors.
    private func noteOverflows(_ overflows: OverflowCount, _ dtype: DType?) {
      let tensors = overflows.tensors
      guard !tensors.isEmpty, let dtype, let format = dtype.element.floatFormat else { return }
      let first = tensors.prefix(3).map { "'\($0.name)' (\($0.count.grouped))" }
      let more = tensors.count > 3 ? " and \(tensors.count - 3) more" : ""
      let total = tensors.map(\.count).saturatedSum()
      common.notes(on: input)(
        "\(total.grouped) values were too large for \(dtype.torchName) and \(format.overflowOutcome), in \(first.joined(separator: ", "))\(more)"
      )
    }

    /// The options that shaped the values, as they were typed.
    private var options: [String] {
      var options = selection.match.flatMap { ["--match", $0] }
      options += selection.exclude.flatMap { ["--exclude", $0] }
      if let dtype { options += ["--dtype", dtype] }
      options += renaming.rename.flatMap { ["--rename", $0] }
      if let map { options += ["--map", map] }
      if all { options.append("--all") }
      return options + layout.options
    }
  }
}
