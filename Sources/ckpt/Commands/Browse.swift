import ArgumentParser
import CheckpointKit
import Glibc

extension Ckpt {
  struct Browse: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      commandName: "browse",
      abstract: "Browse a checkpoint, or two that are compared, in the terminal.",
      usage: "ckpt browse [<options>] <file> [<other>]",
      discussion: """
        The tree is on the left; figures, a histogram, and values of the selected tensor are on the \
        right, read while you look. With two files, names are colored by what became of them.

        KEYS
          arrows, h j k l  move; open and close groups      PgUp PgDn g G  move far
          enter, space     open, close; show values         tab  the other pane
          / n N            search names, next, previous     v    values or summary
          d D              next, previous difference        ?    all keys
          q                quit

        EXAMPLES
          ckpt browse net.h5
          ckpt browse before.h5 after.ckz
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var file: String
    @Argument(help: "Checkpoint to compare it with.", completion: .file()) var other: String?
    @OptionGroup var inputs: InputOptions
    @OptionGroup var renaming: RenameOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
      guard RawTerminal.isUsable else {
        throw ValidationError(
          "browse needs a terminal; ckpt ls, stat, and diff print the same to a file or a pipe")
      }
      let content = try self.content
      guard try BrowserSession(content, threads: common.threads).run() else {
        throw ExitCode(128 + SIGINT)
      }
    }

    private var content: BrowserContent {
      get throws {
        let (first, firstFile) = try open(file)
        guard let other else { return BrowserContent(firstFile, first) }
        let (second, secondFile) = try open(other)
        try renaming.requireMatches(among: [first, second], and: nil)
        let pairing = try NamePairing(first, second, names: try renaming.names())
        return BrowserContent(firstFile, first, secondFile, second, partners: pairing.partners)
      }
    }

    /// Opens a file; what would be a note on standard error is shown beside the tree.
    private func open(_ path: String) throws -> (Checkpoint, BrowserContent.File) {
      var options = OpenOptions(key: inputs.key, threads: common.threads, readsValues: false)
      options.notesParts = true
      var notes: [String] = []
      let source = try CheckpointSource.open(path, options: options) { notes.append($0) }
      if inputs.key != nil, source.parts.isEmpty, other == nil {
        throw CheckpointError(
          .missing, "holds only one checkpoint; remove --key", path: displayPath(path))
      }
      var file = BrowserContent.File(
        name: displayPath(path).escapingControls, format: source.format.name)
      file.remarks = notes.map(\.escapingControls)
      if let line = ValueListing(source.checkpoint).summary {
        file.remarks.append(line.replacing("; --values", with: "; 'ckpt ls --values'"))
      }
      return (source.checkpoint, file)
    }
  }
}
