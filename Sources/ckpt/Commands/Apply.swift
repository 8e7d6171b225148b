import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Apply: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      commandName: "apply",
      abstract: "Apply a patch of 'ckpt diff --patch' to its base checkpoint.",
      discussion: """
        The base may be in any format: what counts is its fingerprint, which 'ckpt hash' prints. Another \
        base is refused before anything is written. The result has the fingerprint that the patch \
        promises, and the values that are not tensors; every chunk is verified as it is read.

        EXAMPLES
          ckpt apply monday.pt patch.ckz -o tuesday.pt
          ckpt apply monday.pt patch.ckz -o tuesday.safetensors
        """)

    @Argument(
      help: "The checkpoint that the patch was made from, in any format.", completion: .file())
    var base: String
    @Argument(help: "The patch.", completion: .file()) var patch: String
    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp("File for the result; '-' for standard output.", valueName: "file"),
      completion: .file())
    var output: String
    @OptionGroup var target: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      if patch == output {
        throw ValidationError("'\(output)' is both the patch and the output")
      }
    }

    func run() async throws {
      var destination = try target.target(output, common)
      guard let opened = try CheckpointPatch(.checkpoint(patch)) else {
        throw CheckpointError(
          .unsupported, "is not a patch; 'ckpt diff A B --patch FILE' writes one", path: patch)
      }
      let file = try WholeFile(base, threads: common.threads, notes: common.note)
      try refuseReadFile(output, besides: base)
      let result = try await naming(base) {
        let progress = Progress(reading: file.checkpoint.entries, quiet: common.quiet)
        defer { progress.finish() }
        var tracked = file.checkpoint
        tracked.entries = progress.entries
        return try await opened.applied(to: tracked, threads: common.threads)
      }
      try naming(patch) {
        try Budget.current.checkValues(
          of: result.total().byteCount,
          inFileOf: [opened.byteCount, file.checkpoint.total().byteCount].saturatedSum())
      }
      destination.options.nests = result.isNested
      try await destination.write(result, to: output, showing: common)
      // Of a nested file, other commands show the fingerprint of a part.
      let fingerprint = result.isNested ? [] : ["fingerprint \(try opened.result.digest)"]
      common.wrote(output, result.counts + fingerprint)
    }
  }
}
