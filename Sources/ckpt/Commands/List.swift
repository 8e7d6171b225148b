import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct List: AsyncParsableCommand, ReportCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "List the tensors of a checkpoint: name, type, shape, bytes.",
      usage: "ckpt ls [<options>] <file> ...",
      discussion: """
        One line per tensor, in file order, then a total, then what else the file holds: epochs, \
        learning rates, attributes, vocabularies. Of a pack, one line per checkpoint. Only the file's index \
        is read. On a terminal, names and remarks that do not fit are shortened. Of several files, each is \
        listed after its name; in JSON they are an array under 'files'.

        EXAMPLES
          ckpt ls net.h5
          ckpt ls a.h5 b.h5
          ckpt ls net.ckz --match layer4 --json
          ckpt ls --keys trainer.pt
          ckpt ls --values trainer.pt
          ckpt ls run.ckz
        """)

    @Argument(
      help: ArgumentHelp("Checkpoints; '-' for standard input.", valueName: "file"),
      completion: .file())
    var files: [String]
    @Flag(help: "List the parts of a file that holds several checkpoints; --key selects one.")
    var keys = false
    @Flag(
      help: "List everything that is not a tensor: address, type, and value; ckpt show prints one.")
    var values = false
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
      struct Tensor: Encodable {
        let name: String
        let dtype: String
        let shape: Shape
        let bytes: Int
        let alias: String?
        let remark: String?
      }
      let file: String
      let format: String
      let tensors: [Tensor]
      let elements: Int
      let bytes: Int
      let valueCount: Int
    }

    private struct ValueReport: Encodable {
      let file: String
      let format: String
      let values: [ValueListing.Row]
    }

    private struct PartReport: Encodable {
      let key: String
      let tensors: Int
      let bytes: Int
      let isOpened: Bool
    }

    func validate() throws {
      if files.isEmpty { throw ValidationError("Missing expected argument '<file> ...'") }
      if files.count(where: { $0 == "-" }) > 1 {
        throw ValidationError("standard input ('-') may be given only once")
      }
    }

    func run() async throws {
      var output = StandardOutput()
      if files.count == 1 {
        try list(files[0], to: &output)
        return try output.flush()
      }
      var isDamaged = false
      if report.json { try output.line("{\n  \"files\" : [") }
      for (index, file) in files.enumerated() {
        if !report.json {
          if index > 0 { try output.line("") }
          try output.line(Style.bold("\(displayPath(file).escapingControls):"))
        }
        do {
          try list(file, to: &output)
        } catch let error as CheckpointError {
          // The others are listed all the same, as `ls` does.
          try output.flush()
          StandardError().note(error.adding(path: displayPath(file)).description)
          isDamaged = true
          if report.json { try output.line("null") }
        }
        if report.json, index < files.count - 1 { try output.line(",") }
      }
      if report.json { try output.line("  ]\n}") }
      try output.flush()
      if isDamaged { throw ExitCode(2) }
    }

    private func list(_ file: String, to output: inout StandardOutput) throws {
      if keys { return try listKeys(file, to: &output) }
      if values { return try listValues(file, to: &output) }
      let selection = try selection.selection
      let probe = try FileProbe.checkpoint(file)
      if probe.step == nil, selection.selector == nil, let pack = try RunPack(probe) {
        return try pack.list(file, isJSON: report.json, to: &output)
      }
      let source = try inputs.open(probe, common, readsValues: false)
      let entries = try naming(file) {
        try selection.entries(of: source.checkpoint, notes: common.notes(on: file))
      }
      let total = try naming(file) { try entries.total(includingAliases: false) }
      let (elements, bytes) = (total.elementCount, total.byteCount)
      let labels = source.checkpoint.quantizationLabels
      if report.json {
        let tensors = entries.map {
          Report.Tensor(
            name: $0.name.text, dtype: $0.info.dtype.rawValue, shape: $0.info.shape,
            bytes: $0.info.byteCount, alias: $0.alias?.text, remark: $0.remark ?? labels[$0.name])
        }
        return try output.line(
          try jsonText(
            Report(
              file: file, format: source.format.name, tensors: tensors, elements: elements,
              bytes: bytes, valueCount: ValueListing(source.checkpoint).count)))
      }
      try Self.print(entries, labels, to: &output)
      let summary =
        "\(entries.count.pluralized("tensor")), \(elements.pluralized("element")), \(bytes.byteCountText), \(source.format.name)"
      try output.sentence(summary)
      if let line = ValueListing(source.checkpoint).summary {
        try output.line(line.fittingTerminal)
      }
    }

    private static func print(
      _ entries: [Checkpoint.Entry], _ labels: [TensorName: String],
      to output: inout StandardOutput
    ) throws {
      guard let columns = Terminal.columns else {
        var rows = AlignedRows(.left, .left, .left, .right, .left)
        // A copy of each entry would take as long as its row.
        for index in entries.indices {
          rows.add(entries[index].name.text.escapingControls)
          let info = entries[index].info
          rows.add(info.dtype.rawValue)
          rows.add(info.shape)
          rows.add(info.byteCount)
          rows.add(remarks(entries[index], labels))
        }
        return try rows.print(to: &output)
      }
      var table = FittedTable([
        .init(isFlexible: true), .init(), .init(isFlexible: true), .init("", .right),
        .init(isFlexible: true),
      ])
      for entry in entries {
        table.add([
          entry.name.text.escapingControls, entry.info.dtype.rawValue, entry.info.shape.listText,
          entry.info.byteCount.grouped, remarks(entry, labels),
        ])
      }
      for line in table.lines(fitting: columns) { try output.line(line) }
    }

    private func listValues(_ file: String, to output: inout StandardOutput) throws {
      let source = try inputs.open(file, common, readsValues: false)
      let listing = ValueListing(source.checkpoint)
      if report.json {
        var rows: [ValueListing.Row] = []
        listing.forEachRow { rows.append($0) }
        return try output.line(
          try jsonText(ValueReport(file: file, format: source.format.name, values: rows)))
      }
      try listing.print(to: &output, isShort: true)
      if listing.count == 0 {
        common.notes(on: file)(
          source.checkpoint.hasPickledModules
            ? "holds pickled modules: only tensors and classes are read" : "holds only tensors")
      }
    }

    private static func remarks(
      _ entry: Checkpoint.Entry, _ labels: [TensorName: String]
    ) -> String {
      let label = entry.remark ?? (labels.isEmpty ? nil : labels[entry.name])
      if entry.alias == nil, label == nil { return "" }
      let remarks = [entry.alias.map { "= \($0)" }, label].compactMap { $0 }
      return remarks.joined(separator: "; ").escapingControls
    }

    private func listKeys(_ file: String, to output: inout StandardOutput) throws {
      // Otherwise a note would report these parts.
      var silent = common
      silent.quiet = true
      let parts = try inputs.open(file, silent, readsValues: false).parts
      if report.json {
        try output.line(
          try jsonText(
            parts.map {
              PartReport(
                key: $0.key, tensors: $0.tensorCount, bytes: $0.byteCount, isOpened: $0.isOpened)
            }))
      } else if parts.isEmpty {
        common.notes(on: file)("holds one checkpoint, without keys")
      } else {
        var table = Table(.left, .right, .right, .left)
        for part in parts {
          table.add(
            part.key.escapingControls, part.tensorCount.pluralized("tensor"),
            part.byteCount.pluralized("byte"),
            part.isOpened ? "opened by default" : "")
        }
        for line in table.lines { try output.line(line.fittingTerminal) }
      }
    }
  }
}
