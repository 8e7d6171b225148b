import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Stat: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "stat",
      abstract:
        "Summarize each tensor: range, mean, std, norm, quantiles, zeros, NaN, Inf, histogram.",
      usage: "ckpt stat [<options>] <file>",
      discussion: """
        Figures are those of the finite values; std is that of the population. The histogram has 8 equal \
        bins. std/init compares the spread with the recipe's, if there is one. The last column names NaN and \
        infinite values, constant tensors, units (outputs) that are all zero, and values at the end of \
        the type's range. On a terminal, columns that do not fit are left out.

        EXAMPLES
          ckpt stat net.h5
          ckpt stat net.h5 --match '*.weight' --sort norm
          ckpt stat net.h5 --depth 1
          ckpt stat net.h5 --json
        """)

    /// What lines are sorted by, the largest first; names from the first on.
    enum Order: String, CaseIterable, ExpressibleByArgument {
      case name, size, min, max, mean, std, norm, zeros, nan
    }

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String
    @Option(help: "Sort by one of: \(Order.allCases.map(\.rawValue).joined(separator: ", ")).")
    var sort: Order?
    @Option(
      help: ArgumentHelp("Sum up modules of N name components.", valueName: "n"))
    var depth: Int?
    @Flag(help: "Only tensors with NaN or Inf; exit with 1 if any.")
    var nanOnly = false
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { file != "-" }

    func validate() throws {
      if let depth, depth < 1 {
        throw ValidationError("--depth: expected 1 or more, found \(depth)")
      }
      if depth != nil, report.json {
        throw ValidationError("--json lists every tensor; remove --depth")
      }
      if depth != nil, let sort, [.mean, .std].contains(sort) {
        throw ValidationError("--depth: modules have no \(sort.rawValue) to sort by")
      }
    }

    private struct Report: Encodable {
      struct Tensor: Encodable {
        let name: String
        let dtype: String
        let shape: Shape
        let statistics: TensorStatistics
        let expectedMean: Double?
        let expectedStandardDeviation: Double?
      }
      let file: String
      let tensors: [Tensor]
    }

    func run() async throws {
      let selection = try selection.selection
      let source = try inputs.open(file, common)
      let entries = try naming(file) {
        try selection.entries(of: source.checkpoint, notes: common.notes(on: file))
      }
      let progress = Progress(reading: entries, times: 2, quiet: common.quiet)
      let statistics = try await TensorStatistics.all(
        of: progress.entries, threads: common.threads)
      progress.finish()
      let expected = source.checkpoint.expectedMoments()
      var rows = zip(entries, statistics).map {
        StatRow($0.name, $0.info, $1, expected: expected[$0.name])
      }
      if nanOnly { rows.removeAll { !$0.hasSpecials } }
      sort(&rows)
      var output = StandardOutput()
      if report.json {
        let tensors = rows.map { row in
          Report.Tensor(
            name: row.name.text, dtype: row.info.dtype.rawValue, shape: row.info.shape,
            statistics: row.statistics, expectedMean: row.expected?.mean,
            expectedStandardDeviation: row.expected?.standardDeviation)
        }
        try output.line(try jsonText(Report(file: file, tensors: tensors)))
      } else {
        let lines =
          depth.map { StatModules(rows, depth: $0, sortedBy: sort).lines } ?? StatRow.lines(rows)
        for line in lines { try output.line(line) }
      }
      try output.flush()
      if nanOnly, !rows.isEmpty { throw ExitCode(1) }
    }

    private func sort(_ rows: inout [StatRow]) {
      guard let sort else { return }
      if sort == .name { return rows.sort { $0.name < $1.name } }
      // Equal ones stay in the file's order.
      rows = rows.enumerated().map { ($0, $1.key(sort), $1) }
        .sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map(\.2)
    }
  }
}
