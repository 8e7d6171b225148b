import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Stat: AsyncParsableCommand, CommonCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      abstract: "Summarize each tensor: min, max, mean, std, zeros, NaN, Inf, a small histogram.",
      usage: "ckpt stat [<options>] <file>",
      discussion: """
        The histogram has 8 equal bins from min to max, 16 in JSON. NaN and infinite elements are \
        counted if there are any, and left out of the other figures; std is that of the population. \
        'ckpt ls' shows types and shapes.

        EXAMPLES
          ckpt stat net.h5
          ckpt stat net.h5 --match '*.weight' --json
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { file != "-" }

    private struct Report: Encodable {
      struct Tensor: Encodable {
        let name: String
        let dtype: String
        let shape: Shape
        let statistics: TensorStatistics
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
      let progress = Progress(reading: entries, quiet: common.quiet)
      let statistics = try await TensorStatistics.all(
        of: progress.entries, threads: common.threads)
      progress.finish()
      var output = StandardOutput()
      if report.json {
        let tensors = zip(entries, statistics).map { entry, statistics in
          Report.Tensor(
            name: entry.name.text, dtype: entry.info.dtype.rawValue, shape: entry.info.shape,
            statistics: statistics)
        }
        try output.line(try jsonText(Report(file: file, tensors: tensors)))
      } else {
        // Columns that would hold nothing but zeros are left out, so that lines fit a terminal.
        let hasNans = statistics.contains { $0.nans > 0 }
        let hasInfinities = statistics.contains { $0.infinities > 0 }
        var table = Table(
          .left, .right, .right, .right, .right, .right, .right, .right, .left)
        table.add(
          "name", "min", "max", "mean", "std", "zeros", hasNans ? "nan" : "",
          hasInfinities ? "inf" : "", "")
        for (entry, values) in zip(entries, statistics) {
          table.add(
            entry.name.text.escapingControls,
            values.minimum?.short ?? "-", values.maximum?.short ?? "-", values.mean?.short ?? "-",
            values.standardDeviation?.short ?? "-", values.zeros.grouped,
            hasNans ? values.nans.grouped : "", hasInfinities ? values.infinities.grouped : "",
            bars(values.histogram))
        }
        for line in table.lines { try output.line(line) }
      }
      try output.flush()
    }

    /// Eight bins of eight heights; a bin that holds anything at all shows.
    private func bars(_ bins: [Int]) -> String {
      let histogram = stride(from: 0, to: bins.count, by: 2).map {
        bins[$0...].prefix(2).saturatedSum()
      }
      guard let highest = histogram.max(), highest > 0 else { return "" }
      let heights = Array("▁▂▃▄▅▆▇█")
      return String(
        histogram.map { count in
          count == 0 ? " " : heights[Int(Double(count) / Double(highest) * 7)]
        })
    }
  }
}
