import ArgumentParser
import CheckpointKit
import Ranks

extension Ckpt {
  struct Hash: AsyncParsableCommand, ReportCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "hash",
      abstract: "Print the fingerprint of each checkpoint: the same in every format.",
      usage: "ckpt hash [<options>] [<files> ...]",
      discussion: """
        One line per file, as b3sum prints it: a name with control characters or bytes that are not UTF-8 is escaped, with a backslash before the line. The fingerprint is the BLAKE3 of the manifest: one line \
        per tensor, 'digest  dtype  shape  name', sorted by name, where a tensor's digest is that of \
        its bytes. --algorithm sha256 digests both with SHA-256. A .ckz file stores its tensors' \
        BLAKE3, which is not computed again: 'ckpt check' and --check read everything.

        --check reads lines that were printed without it and prints OK or FAILED for each, as \
        'sha256sum -c' does; with the lines of --manifest, name the file that they are compared with. \
        Exit status 1 if any differs, is missing, is not listed, or cannot be read.

        EXAMPLES
          ckpt hash net.h5 net.ckz
          ckpt hash --algorithm sha256 --manifest net.h5 | sha256sum
          ckpt hash *.safetensors > SUMS
          ckpt hash --check SUMS
        """)

    @Argument(help: "Checkpoints; '-' for standard input.", completion: .file()) var files:
      [String] = []
    @Flag(help: "Print the manifest instead of the fingerprint.") var manifest = false
    @Option(
      help: ArgumentHelp(
        "Compare with fingerprints or a manifest from this file. '-' for standard input. With --quiet, print failures only.",
        valueName: "sums"), completion: .file())
    var check: String?
    @Option(
      help: ArgumentHelp(
        "How tensors and manifest are digested: blake3 or sha256.", valueName: "name"),
      completion: .list(DigestAlgorithm.allCases.map(\.rawValue)),
      transform: { text in
        guard let algorithm = DigestAlgorithm(rawValue: text) else {
          let known = DigestAlgorithm.allCases.map(\.rawValue).joined(separator: " or ")
          throw ValidationError("unknown algorithm '\(text)': expected \(known)")
        }
        return algorithm
      })
    var algorithm = DigestAlgorithm.blake3
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { true }

    private struct Report: Encodable {
      struct Tensor: Encodable {
        let name: String
        let dtype: String
        let shape: Shape
        let digest: String
      }
      let file: String
      let algorithm: String
      let fingerprint: String
      /// Tensors that cannot be read, of which the fingerprint says nothing; absent if there are none.
      let leftOut: [String]?
      let tensors: [Tensor]?
    }

    func validate() throws {
      guard check != nil || !files.isEmpty else {
        throw ValidationError("missing expected argument '<files> ...'")
      }
      guard check == nil || !manifest else {
        throw ValidationError("--check and --manifest exclude each other")
      }
    }

    /// The digests of a file's tensors, and the names of those that cannot be read.
    private func manifest(of file: String) async throws -> (Manifest, [String]) {
      let checkpoint = try inputs.open(file, common).checkpoint
      let unread = checkpoint.leftOut.keys.sorted().map(\.text)
      if checkpoint.entries.isEmpty {
        let what = unread.first.map { " that can be read (first: '\($0)')" } ?? ""
        throw CheckpointError(
          .missing, "contains no tensor\(what), so there is nothing to hash",
          path: displayPath(file))
      }
      if common.quiet, let first = unread.first {
        // A fingerprint never stands for more than it covers.
        StandardError().note(
          "\(displayPath(file)): \(unread.count.pluralized("tensor")) left out, which cannot be read"
            .escapingControls + " (first: '\(first)')".escapingControls)
      }
      return (try await common.manifest(of: checkpoint, algorithm), unread)
    }

    func run() async throws {
      if let check { return try await compare(with: check) }
      var output = StandardOutput()
      var reports: [Report] = []
      var isComplete = true
      for file in files {
        let digests: Manifest
        let unread: [String]
        do {
          (digests, unread) = try await Ranks.current.together(file) {
            try await manifest(of: file)
          }
        } catch let error as CheckpointError {
          // The others are hashed all the same, as by sha256sum.
          StandardError().note(error.description)
          isComplete = false
          continue
        }
        if report.json {
          let tensors = digests.lines.map {
            Report.Tensor(
              name: $0.name.text, dtype: $0.info.dtype.rawValue, shape: $0.info.shape,
              digest: $0.digest.description)
          }
          reports.append(
            Report(
              file: file, algorithm: algorithm.rawValue,
              fingerprint: digests.digest.description,
              leftOut: unread.isEmpty ? nil : unread,
              tensors: manifest ? tensors : nil))
        } else if manifest && StandardOutput.isTerminal {
          for line in digests.text.split(separator: "\n") {
            try output.line(String(line).escapingControls)
          }
        } else if manifest {
          try output.text(digests.text)
        } else {
          try output.line(SumsFile.line(digests.digest, file))
        }
      }
      if report.json { try output.line(try jsonText(reports)) }
      try output.flush()
      if !isComplete { throw ExitCode(2) }
    }
  }
}
