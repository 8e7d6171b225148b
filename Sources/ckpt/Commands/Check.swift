import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Check: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read every byte, verify every checksum and structural rule, name what is damaged.",
      discussion: """
        One line per intact file on standard output, one line per damaged tensor on standard error. \
        Exit status 2 if anything is damaged.

        EXAMPLES
          ckpt check net.ckz
          ckpt check *.h5 --json
        """)

    @Argument(help: "Checkpoints; '-' for standard input.") var files: [String]
    @OptionGroup var report: ReportOptions
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
      struct Damage: Encodable {
        let tensor: String?
        let offset: Int?
        let message: String
      }
      let file: String
      let isSound: Bool
      let damage: [Damage]
    }

    func run() async throws {
      var output = StandardOutput()
      var reports: [Report] = []
      for file in files {
        var damage: [CheckpointError]
        do {
          var progress: Progress?
          defer { progress?.finish() }
          damage = try await CheckpointSource.damage(in: file, threads: common.threads) {
            let reading = Progress(reading: $0, quiet: common.quiet)
            progress = reading
            return reading.entries
          }
        } catch let error as CheckpointError {
          damage = [error]
        }
        for error in damage { StandardError().note(error.description) }
        reports.append(
          Report(
            file: file, isSound: damage.isEmpty,
            damage: damage.map { .init(tensor: $0.tensor, offset: $0.offset, message: $0.message) })
        )
        if damage.isEmpty && !report.json { try output.line("\(file.escapingControls): ok") }
      }
      if report.json { try output.line(try jsonText(reports)) }
      try output.flush()
      if reports.contains(where: { !$0.isSound }) { throw ExitCode(2) }
    }
  }
}
