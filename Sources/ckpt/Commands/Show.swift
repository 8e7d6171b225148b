import ArgumentParser
import CheckpointKit
import JSONText

extension Ckpt {
  struct Show: ParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the values of a tensor or of a slice.",
      discussion: """
        A slice is written as in NumPy, quoted for the shell. Above a thousand values, only the first \
        and last three along each dimension are printed, unless --full or --json is given.

        EXAMPLES
          ckpt show net.h5 fc.bias
          ckpt show net.h5 'conv1.weight[0, :, 2:5, ::2]'
        """)

    @Argument(help: "A checkpoint; '-' for standard input.") var file: String
    @Argument(help: "Tensor name, optionally with a slice in brackets.") var tensor: String
    @Flag(help: "Print every value.") var full = false
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
      let source = try inputs.open(file, common, readsValues: full || report.json)
      let (entry, slice) = try source.checkpoint.entry(sliced: tensor, path: displayPath(file))
      var output = StandardOutput()
      let printer = SlicePrinter(
        entry: entry, slice: slice, isFull: full || report.json, path: displayPath(file))
      if report.json {
        var json = JSONWriter()
        try json.object(.spaced) { json in
          json.key("name")
          json.string(entry.name.text)
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
            "\(entry.name.text.escapingControls) \(entry.info.dtype.rawValue) \(slice.shape)"))
        try printer.print(to: &output, asJSON: false)
        try output.line("")
      }
      try output.flush()
    }
  }
}
