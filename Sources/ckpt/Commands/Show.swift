import ArgumentParser
import CheckpointKit
import JSONText

extension Ckpt {
  struct Show: ParsableCommand, ReportCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print the elements of a tensor or of a slice, or a value that is not a tensor.",
      usage: "ckpt show [<options>] <file> <tensor>",
      discussion: """
        A slice is written as in NumPy, quoted for the shell. Above a thousand values, only the first \
        and last three along each dimension are printed, unless --full or --json is given. Values that \
        are not tensors have dotted addresses, which 'ckpt ls --values' lists.

        EXAMPLES
          ckpt show net.h5 fc.bias
          ckpt show net.h5 'conv1.weight[0, :, 2:5, ::2]' --precision 3
          ckpt show trainer.pt epoch
          ckpt show trainer.pt optimizer.param_groups.0.lr
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String
    @Argument(
      help: "Tensor name, optionally with a slice in brackets, or the address of a value.",
      completion: .tensorNames)
    var tensor: String
    @Flag(help: "Print every value.") var full = false
    @Option(
      help: ArgumentHelp(
        "Significant digits of real numbers, 1 to 17.",
        valueName: "n"))
    var precision: Int?
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      if let precision, !(1...17).contains(precision) {
        throw ValidationError("--precision: expected 1 to 17, found \(precision)")
      }
    }

    func run() throws {
      let source = try inputs.open(file, common, readsValues: full || report.json)
      let isTensor = source.checkpoint.entries.contains { $0.name == TensorName(tensor) }
      if !isTensor, let value = source.checkpoint.value(at: address) { return try print(value) }
      let (entry, slice) = try source.checkpoint.entry(sliced: tensor, path: displayPath(file))
      var output = StandardOutput()
      let printer = SlicePrinter(
        entry: entry, slice: slice, isFull: full || report.json, precision: precision,
        path: displayPath(file), columns: Terminal.columns)
      if report.json {
        var json = JSONWriter()
        try json.object(.spaced) { json in
          json.key("name")
          json.string(entry.name.text.shownPath)
          json.key("dtype")
          json.string(entry.info.dtype.rawValue)
          json.key("shape")
          json.numbers(slice.shape)
          json.key("values")
          json.literal("")
          try output.text(json.takeText())
          try printer.print(to: &output, asJSON: true)
        }
        try output.line(json.takeText())
      } else {
        try output.line(
          Style.dim(
            "\(entry.name.text.escapingControls) \(entry.info.dtype.rawValue) \(slice.shape)"
              .fittingTerminal))
        try printer.print(to: &output, asJSON: false)
        try output.line("")
      }
      try output.flush()
    }

    /// What was asked for as the address of a value: an index in brackets is a component.
    private var address: String { tensor.replacing(/\[(\d+)\](?=$|[.\[])/) { ".\($0.output.1)" } }

    private struct ValueReport: Encodable {
      let address: String
      let type: String
      let value: Value
    }

    /// Prints a value whole: a text as it is, a dictionary with a line for each value in it.
    private func print(_ value: Value) throws {
      if let reason = value.unreadReason {
        throw CheckpointError(
          .unsupported, "cannot be read: \(reason)", path: displayPath(file), tensor: address)
      }
      var output = StandardOutput()
      let listing = ValueListing(value)
      if report.json {
        try output.line(
          try jsonText(ValueReport(address: address, type: value.kind.rawValue, value: value)))
      } else if case .text(let text) = value {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
          try output.line(String(line).escapingControls)
        }
      } else if value.isLeaf {
        try output.line(value.shortText(limit: Int.max / 8))
      } else {
        try listing.print(to: &output, isShort: false)
      }
      try output.flush()
    }
  }
}
