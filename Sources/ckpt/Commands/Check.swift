import ArgumentParser
import CheckpointKit
import Ranks

extension Ckpt {
  struct Check: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Read every byte, verify every checksum and structural rule, name what is damaged.",
      usage: "ckpt check [<options>] <files> ...",
      discussion: """
        One line per intact file on standard output, none with --quiet; one line per damaged tensor on \
        standard error. Exit status 2 if anything is damaged.

        The line says what could be verified. A .ckz file has checksums over every byte. All other \
        files that ckpt writes, except .npy, carry the fingerprint of their tensors: any change of a \
        tensor is found, though not always which one changed. Of a file of another program, only what \
        its checksums cover can be verified.

          ok (every byte)
          ok (every tensor: fingerprint)
          ok (structure only: safetensors has no checksums)

        EXAMPLES
          ckpt check net.ckz
          ckpt check *.h5 --json
        """)

    @Argument(help: "Checkpoints; '-' for standard input.", completion: .file()) var files: [String]
    @OptionGroup var report: ReportOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { true }

    private struct Report: Encodable {
      struct Damage: Encodable {
        let tensor: String?
        let offset: Int?
        let message: String
      }
      let file: String
      let ok: Bool
      /// How much was verified; absent if the file could not be opened.
      let verified: Integrity.Extent?
      /// With what tensors were compared.
      let comparedWith: [String]
      let damage: [Damage]
      /// Whether parity can restore what is damaged; absent if it has none, or needs none.
      let repairable: Bool?
    }

    func run() async throws {
      var output = StandardOutput()
      var reports: [Report] = []
      for file in files {
        var damage: [CheckpointError]
        var integrity: Integrity?
        do {
          var progress: Progress?
          defer { progress?.finish() }
          let found = try await Ranks.current.together(file) {
            try await Integrity(of: file, threads: common.threads) {
              let reading = Progress(reading: $0, quiet: common.quiet)
              progress = reading
              return reading.entries
            }
          }
          (damage, integrity) = (found.damage, found)
        } catch let error as CheckpointError {
          damage = [error]
        }
        for error in damage { StandardError().note(error.description) }
        let repairable =
          damage.contains { $0.code == .malformed }
          ? await remedy(for: file, isOpen: integrity != nil) : nil
        reports.append(
          Report(
            file: file, ok: damage.isEmpty, verified: integrity?.extent,
            comparedWith: integrity?.means ?? [],
            damage: damage.map { .init(tensor: $0.tensor, offset: $0.offset, message: $0.message) },
            repairable: repairable)
        )
        if damage.isEmpty, !report.json, !common.quiet, let integrity {
          try output.line("\(file.escapingControls): ok (\(integrity.summary))")
        }
      }
      if report.json { try output.line(try jsonText(reports)) }
      try output.flush()
      if reports.contains(where: { !$0.ok }) { throw ExitCode(2) }
    }

    /// Says what can be done for a damaged file; returns whether its parity can restore it.
    private func remedy(for file: String, isOpen: Bool) async -> Bool? {
      let note = common.notes(on: file)
      guard file != "-", let parity = try? Parity(of: file),
        let damage = try? await parity.damage(threads: common.threads), damage.isDamaged
      else {
        let remedy = isOpen ? CheckpointSource.remedy : CheckpointSource.remedy(for: file)
        remedy.map(note)
        return nil
      }
      let isRepairable = damage.lostBlocks.isEmpty
      note(
        parity.summary(of: damage)
          + (isRepairable
            ? "; 'ckpt repair' can restore it"
            : ", more than parity can restore; \(CheckpointSource.remedy)"))
      return isRepairable
    }
  }
}
