import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a checkpoint in another format, whole or in part, in bounded memory.",
      discussion: """
        The input's format is recognised by content, the output's chosen by the name's ending or by \
        --to. What the output cannot carry is said on standard error.

        EXAMPLES
          ckpt convert net.h5 net.ckz
          ckpt convert net.ckz small.h5 --dtype bfloat16 --compression gzip:4
          ckpt convert net.h5 out.h5 --match 'module.**' --rename 's/^module\\.//'
        """)

    @Argument(help: "A checkpoint, or - for standard input.") var input: String
    @Argument(help: "The file to write, or - for standard output.") var output: String
    @OptionGroup var selection: SelectionOptions
    @Option(help: "Round floating-point tensors to float32, float64, bfloat16 or float16.")
    var dtype: String?
    @Option(
      help: ArgumentHelp(
        "Rename tensors as sed would: 's/pattern/replacement/[g][i]'. Repeated: one after another.",
        valueName: "s/…/…/"))
    var rename: [String] = []
    @Option(help: ArgumentHelp("Lines `old = new`: new names of tensors.", valueName: "file"))
    var map: String?
    @OptionGroup var target: OutputOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      try checkingUsage {
        _ = try dtype.map { try Recipe.floatingPoint(named: $0) }
        var names = NameMap()
        for text in rename { try names.add(substitution: text) }
      }
    }

    func run() async throws {
      let target = try target.target(output, common)
      var conversion = Conversion(try selection.selection)
      if let map { conversion.names = try NameMap(file: map) }
      for text in rename { try conversion.names.add(substitution: text) }
      conversion.dtype = try dtype.map { try Recipe.floatingPoint(named: $0) }
      let source = try inputs.open(input, common).checkpoint
      var result = try naming(input) { try conversion(source) }
      result.notes.forEach(common.notes(on: input))
      if result.isChanged {
        var provenance = try Provenance(of: source)
        let fingerprint = try await Manifest(of: source, threads: common.threads).fingerprint
        provenance.add(command: "convert", options: steps, inputs: [fingerprint])
        result.checkpoint.metadata[Checkpoint.provenanceKey] = try provenance.json
      }
      try await target.write(result.checkpoint, showing: common)
    }

    /// The options that shaped the values, as they were typed.
    private var steps: [String] {
      selection.match.flatMap { ["--match", $0] } + selection.exclude.flatMap { ["--exclude", $0] }
        + (dtype.map { ["--dtype", $0] } ?? []) + rename.flatMap { ["--rename", $0] }
        + (map.map { ["--map", $0] } ?? [])
    }
  }
}
