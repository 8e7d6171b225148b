import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Tree: ParsableCommand, ReportCommand {
    static let configuration = CommandConfiguration(
      commandName: "tree",
      abstract: "Print a module tree as PyTorch prints it, and count its parameters.",
      usage: "ckpt tree [<options>] <file>",
      discussion: """
        For a checkpoint without a tree, one is inferred from names and shapes. With --json it is \
        printed as a model description, which every command accepts as MODEL.

        EXAMPLES
          ckpt tree model.txt
          ckpt tree net.h5 --params
          ckpt tree model.txt --json > model.json
        """)

    @Argument(
      help: "Printed model, model description, or checkpoint; '-' for standard input.",
      completion: .file())
    var file: String
    @Flag(help: "List each module's own tensors, with shapes and element counts.") var params =
      false
    @Option(
      help: ArgumentHelp("Side file with what printed text cannot show.", valueName: "file"),
      completion: .file())
    var extra: String?
    @OptionGroup var report: ReportOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
      let (tree, isInferred) = try moduleTree()
      let parameters = tree.namedParameters()
      let total = parameters.map(\.shape.elementCount).saturatedSum()
      guard total < Shape.limit else {
        throw CheckpointError(
          .unsupported, "its parameters have 2^62 elements or more", path: displayPath(file))
      }
      var output = StandardOutput()
      if report.json {
        try output.line(try tree.json())
      } else {
        // A terminal shows control characters of names as escapes; a file gets the very text.
        let shown = isInferred ? tree.markingGuesses : tree
        for line in shown.description.split(separator: "\n", omittingEmptySubsequences: false) {
          try output.line(
            StandardOutput.isTerminal ? String(line).escapingControls.fittingTerminal : String(line)
          )
        }
        if params {
          try output.line("")
          var table = FittedTable([
            .init(isFlexible: true), .init(), .init("", .right), .init(isFlexible: true),
          ])
          for tensor in tree.stateDict() {
            let note =
              tensor.original == tensor.name
              ? (tensor.isParameter ? "" : "buffer")
              : "= \(tensor.original.text.escapingControls)"
            table.add([
              tensor.name.text.escapingControls, "\(tensor.shape)",
              tensor.shape.elementCount.grouped, note,
            ])
          }
          for line in table.lines(fitting: Terminal.columns) { try output.line(line) }
        }
        let summary =
          "\(tree.modules().count.pluralized("module")), \(parameters.count.pluralized("parameter tensor")), \(total.pluralized("parameter"))"
        try output.sentence(summary)
      }
      try output.flush()
    }

    /// The tree, and whether its classes are guesses.
    private func moduleTree() throws -> (Module, isInferred: Bool) {
      switch try Model.Content(file: file, extra: extra) {
      case .model(let model):
        model.module.notes.forEach(common.notes(on: file))
        return (model.module, false)
      case .checkpoint(let checkpoint, carrying: let model):
        let given = extra == nil && checkpoint.hasKerasTree ? nil : model
        let tree = try naming(file) { try checkpoint.tree(model: given) }
        tree.notes.forEach(common.notes(on: file))
        return (tree.module, tree.isInferred)
      }
    }
  }
}
