import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Scan: ParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      abstract: "List every class and function that a file's pickles name, without running them.",
      discussion: """
        One line per name: its offset, whether ckpt recognizes it, how many tensors depend on it. A \
        recognized name is one that ckpt reads as a plain value; that says nothing about what the \
        file would do when Python loads it. Exit status 0 when all pickles \
        could be read, whatever they name.

        EXAMPLES
          ckpt scan model.pt
          ckpt scan pytorch_model.bin --json
        """)

    @Argument(help: "A file of torch.save, a distributed checkpoint's folder, or any pickle.")
    var file: String
    @OptionGroup var report: ReportOptions
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
      struct Name: Encodable {
        let module: String
        let name: String
        let pickle: String
        let offset: Int
        let fileOffset: Int?
        let isKnown: Bool
        let tensors: [String]
      }
      let file: String
      let pickles: [String]
      let names: [Name]
      let notes: [String]
    }

    func run() throws {
      let scan = try naming(file) { try PickleScan(FileProbe.argument(file)) }
      var output = StandardOutput()
      if report.json {
        let names = scan.findings.map {
          Report.Name(
            module: $0.module, name: $0.name, pickle: $0.pickle, offset: $0.offset,
            fileOffset: $0.fileOffset, isKnown: $0.isRecognized,
            tensors: $0.tensors.map(\.text))
        }
        try output.line(
          try jsonText(Report(file: file, pickles: scan.pickles, names: names, notes: scan.notes)))
      } else {
        try printText(scan, to: &output)
      }
      try output.flush()
    }

    private func printText(_ scan: PickleScan, to output: inout StandardOutput) throws {
      scan.notes.forEach(common.notes(on: file))
      let names = Name.all(of: scan.findings)
      var table = Table(.right, .left, .left, .left, .left)
      for name in names {
        table.add(
          name.offsetText, name.first.isRecognized ? "recognized" : "unknown",
          name.first.fullName.escapingControls, Style.dim(name.pickles), Self.text(name.tensors))
      }
      for line in table.lines { try output.line(line) }
      let unknown = names.filter { !$0.first.isRecognized }
      let tensors = Set(unknown.flatMap(\.tensors)).count
      try output.line(
        "\(scan.pickles.count.pluralized("pickle")), \(names.count.pluralized("name")),"
          + " \(unknown.count.grouped) of them unknown; \(tensors.pluralized("tensor"))"
          + " \(tensors == 1 ? "depends" : "depend") on unknown names. Nothing was run")
    }

    /// A class or a function with all pickles that name it.
    private struct Name {
      let first: PickleScan.Finding
      var count = 1
      var tensors: [TensorName]

      /// The names in the order in which they come first.
      static func all(of findings: [PickleScan.Finding]) -> [Name] {
        var names: [Name] = []
        var indices: [TensorName: Int] = [:]
        for finding in findings {
          if let index = indices[TensorName(finding.fullName)] {
            names[index].count += 1
            names[index].tensors += finding.tensors
          } else {
            indices[TensorName(finding.fullName)] = names.count
            names.append(Name(first: finding, tensors: finding.tensors))
          }
        }
        return names
      }

      /// Where it is named first: in the file, or with a plus in a pickle that is compressed.
      var offsetText: String {
        (first.fileOffset == nil ? "+0x" : "0x")
          + String(first.fileOffset ?? first.offset, radix: 16)
      }

      var pickles: String {
        let name = first.pickle.escapingControls
        return count == 1 ? name : "\(name) and \((count - 1).grouped) more"
      }
    }

    /// The first tensors by name, the others by number.
    private static func text(_ tensors: [TensorName]) -> String {
      guard let first = tensors.first else { return "" }
      let name = first.text.escapingControls
      return tensors.count == 1
        ? name : "\(name) and \((tensors.count - 1).pluralized("more tensor"))"
    }
  }
}
