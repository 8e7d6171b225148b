import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Scan: ParsableCommand, ReportCommand {
    static let configuration = CommandConfiguration(
      commandName: "scan",
      abstract: "List every class and function that a file's pickles name, without running them.",
      discussion: """
        One line per name: its offset, whether ckpt recognizes it, how many tensors depend on it. A \
        recognized name is one that ckpt reads as a plain value. Names that are known to run code, or \
        to reach files or the network, are marked as dangerous, with what the file would call; a name \
        that is not marked may be dangerous all the same. Exit status 1 if any name is dangerous, 2 \
        if a part of the file cannot be read, else 0.

        EXAMPLES
          ckpt scan model.pt
          ckpt scan pytorch_model.bin --json
        """)

    @Argument(
      help:
        "A file of torch.save, an archive, an array of objects, any pickle, or a folder of them.",
      completion: .file())
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
        let danger: String?
        let calls: [String]
        let tensors: [String]
      }
      let file: String
      let pickles: [String]
      let names: [Name]
      let notes: [String]
      let unread: [String]
    }

    func run() throws {
      let scan = try naming(file) { try PickleScan(FileProbe.argument(file)) }
      var output = StandardOutput()
      if report.json {
        let names = scan.findings.map {
          Report.Name(
            module: $0.module, name: $0.name, pickle: $0.pickle, offset: $0.offset,
            fileOffset: $0.fileOffset, isKnown: $0.isRecognized, danger: $0.danger, calls: $0.calls,
            tensors: $0.tensors.map(\.text))
        }
        try output.line(
          try jsonText(
            Report(
              file: file, pickles: scan.pickles, names: names, notes: scan.notes,
              unread: scan.unread)))
      } else {
        try printText(scan, to: &output)
      }
      try output.flush()
      scan.unread.forEach {
        StandardError().note("\(file): \($0); not scanned".escapingControls)
      }
      if scan.findings.contains(where: { $0.danger != nil }) { throw ExitCode(1) }
      if !scan.unread.isEmpty { throw ExitCode(2) }
    }

    private func printText(_ scan: PickleScan, to output: inout StandardOutput) throws {
      scan.notes.forEach(common.notes(on: file))
      let names = Name.all(of: scan.findings)
      var table = FittedTable([
        .init("", .right), .init(), .init(isFlexible: true), .init(rank: 2), .init(rank: 1),
      ])
      for name in names {
        table.add([
          name.offsetText,
          name.first.danger != nil
            ? "dangerous" : name.first.isRecognized ? "recognized" : "unknown",
          name.first.fullName.escapingControls, Style.dim(name.pickles), Self.text(name.tensors),
        ])
      }
      for line in table.lines(fitting: Terminal.columns) { try output.line(line) }
      for name in names {
        guard let danger = name.first.danger else { continue }
        let calls = name.calls.isEmpty ? "" : "; called as " + name.calls.joined(separator: ", ")
        try output.sentence(
          "dangerous: \(name.first.fullName) \(danger)\(calls)".escapingControls)
      }
      let dangerous = names.count { $0.first.danger != nil }
      let unknown = names.filter { !$0.first.isRecognized }
      let tensors = Set(unknown.flatMap(\.tensors)).count
      let marked = dangerous > 0 ? ", \(dangerous.grouped) dangerous" : ""
      try output.sentence(
        "\(scan.pickles.count.pluralized("pickle")), \(names.count.pluralized("name")),"
          + " \(unknown.count.grouped) of them unknown\(marked); \(tensors.pluralized("tensor"))"
          + " \(tensors == 1 ? "depends" : "depend") on unknown names. Nothing was run")
    }

    /// A class or a function with all pickles that name it.
    private struct Name {
      let first: PickleScan.Finding
      var calls: [String]
      var count = 1
      var tensors: [TensorName]

      /// The names in the order in which they come first.
      static func all(of findings: [PickleScan.Finding]) -> [Name] {
        var names: [Name] = []
        var indices: [TensorName: Int] = [:]
        for finding in findings {
          if let index = indices[TensorName(finding.fullName)] {
            names[index].count += 1
            if names[index].calls.count < 3 { names[index].calls += finding.calls }
            names[index].tensors += finding.tensors
          } else {
            indices[TensorName(finding.fullName)] = names.count
            names.append(Name(first: finding, calls: finding.calls, tensors: finding.tensors))
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
