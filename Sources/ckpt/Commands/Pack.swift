import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Pack: AsyncParsableCommand, CommonCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      commandName: "pack",
      abstract: "Pack the checkpoints of a run into one file, each as a patch of the one before.",
      usage: "ckpt pack [<options>] <files> ... -o <file>",
      discussion: """
        Equal tensors are stored once, and what changed little as differences. Every command reads one \
        checkpoint of a pack as run.ckz@3, counted from 0, or as run.ckz@latest; 'ckpt ls run.ckz' \
        lists them with their values, and 'ckpt unpack' writes them as files again.

        If the pack exists, the checkpoints are added to its end: what it holds is not written again, \
        and an interrupted command leaves it as it was. Files are packed whole, optimizers included, \
        in the order given.

        EXAMPLES
          ckpt pack run/*.pt -o run.ckz
          ckpt pack run/step7.pt -o run.ckz
        """)

    @Argument(help: "Checkpoints of one run, the oldest first.", completion: .file()) var files:
      [String]
    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp("The pack; one that exists gets longer.", valueName: "file"),
      completion: .file())
    var output: String
    @Option(
      help: ArgumentHelp(
        "Compression of what is stored: planes, planes:fast, planes:small, or none.",
        valueName: "kind"),
      completion: .list(["planes", "planes:fast", "planes:small", "none"]))
    var compression: String?
    @Option(
      help: ArgumentHelp(
        "Add recovery data of this percentage, 1 to 100, to each checkpoint; 'ckpt repair' restores damage. Default: as the pack's last one has it.",
        valueName: "percent"))
    var parity: Int?
    @Flag(help: "Replace an existing pack instead of adding to it.") var force = false
    @OptionGroup var common: CommonOptions

    var isShared: Bool { true }

    func validate() throws {
      try checkParity(parity)
      if output == "-" {
        throw ValidationError("a pack is written to a file, since checkpoints are added to it")
      }
      if files.contains(output) {
        throw ValidationError("'\(output)' is both a checkpoint to pack and the pack")
      }
      if let format = CheckpointFormat.named(byEndingOf: output),
        format.name != CheckpointFormat.native.name
      {
        throw ValidationError("a pack is a .ckz file, and '\(output)' is named like \(format.name)")
      }
      if files.contains("-") {
        throw ValidationError("each checkpoint of a pack has its file's name; '-' has none")
      }
      if let compression, options.compression == .standard {
        throw ValidationError(
          "unknown compression '\(compression)': expected planes, planes:fast, planes:small, or none"
        )
      }
    }

    /// How tensors are stored; `standard` if the option says nothing, or what a pack does not have.
    private var options: WriteOptions {
      var options = WriteOptions()
      options.threads = common.threads
      options.parity = parity
      let named = compression.flatMap(WriteOptions.Compression.init(named:))
      if let named, [.planes, .fastPlanes, .smallPlanes, .none].contains(named) {
        options.compression = named
      }
      return options
    }

    func run() async throws {
      let writer = try RunPackWriter(output, overwrites: force)
      noteOrder()
      var bytes = 0
      for file in files {
        let whole = try WholeFile(file, threads: common.threads, notes: common.note)
        if force { try refuseReadFile(output) }
        whole.notes.forEach(common.notes(on: file))
        let progress = Progress(reading: whole.checkpoint.entries, quiet: common.quiet)
        defer { progress.finish() }
        var tracked = whole.checkpoint
        tracked.entries = progress.entries
        try await naming(file) {
          try await writer.add(
            tracked, name: file.lastComponent, format: whole.format.name, options: options)
        }
        let size = whole.checkpoint.entries.filter { $0.alias == nil }.map(\.info.byteCount)
        bytes += size.saturatedSum()
      }
      try await naming(output) { try await writer.finish() }
      let stored = writer.storedByteCount(ofLast: files.count)
      common.wrote(
        output,
        [
          files.count.pluralized("checkpoint"), "\(bytes.byteText) stored in \(stored.byteText)",
          "\(writer.count) in the pack",
        ])
    }

    /// A shell sorts `epoch10` before `epoch9`; nobody means that.
    private func noteOrder() {
      for (file, next) in zip(files, files.dropFirst()) where file.numbers > next.numbers {
        if file.withoutDigits != next.withoutDigits { continue }
        common.note(
          "packed in the order given, in which \(file.lastComponent) comes before "
            + "\(next.lastComponent)".escapingControls)
        return
      }
    }
  }
}

extension String {
  /// The name of a file or a folder without the folders it is in.
  var lastComponent: String {
    if utf8.count > 1, hasSuffix("/") { return String(dropLast()).lastComponent }
    guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return String(self[utf8.index(after: slash)...])
  }

  /// The numbers in it, the last one counting least.
  fileprivate var numbers: [Int] {
    utf8.split { !(0x30...0x39).contains($0) }.map { Int(String(Substring($0))) ?? .max }
  }

  fileprivate var withoutDigits: [UInt8] { utf8.filter { !(0x30...0x39).contains($0) } }
}

/// Lists are compared like words.
private func > (left: [Int], right: [Int]) -> Bool { right.lexicographicallyPrecedes(left) }
