import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Repair: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      commandName: "repair",
      abstract: "Restore a damaged .ckz file from its parity, byte for byte.",
      discussion: """
        'init', 'convert', 'reinit', and 'pack' add parity with --parity N. It restores what was \
        overwritten or cut off, up to N percent of the file in one place, wherever that is, or less \
        in many small ones. The result is verified as a whole before it gets its name. If more is \
        damaged, the lost tensors are named, and nothing is written.

        EXAMPLES
          ckpt repair damaged.ckz -o net.ckz
        """)

    @Argument(help: "A damaged .ckz file.", completion: .file()) var file: String
    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp("File for the result.", valueName: "file"), completion: .file())
    var output: String
    @Flag(help: "Replace an existing file.") var force = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
      if file == "-" || output == "-" {
        throw ValidationError("a file is repaired into a file; '-' is neither")
      }
    }

    func run() async throws {
      let parity = try naming(file) { () throws(CheckpointError) -> Parity in
        if let parity = try Parity(of: file) { return parity }
        throw CheckpointError(
          .missing,
          "found no parity that could restore it; 'ckpt convert --keep-going' saves intact tensors")
      }
      let (place, name) = Place.locate(output)
      let repair = try await naming(output) {
        try await parity.repair(
          to: name, in: place, overwrites: force, threads: common.threads)
      }
      guard repair.isComplete else {
        for error in repair.errors {
          StandardError().note(
            CheckpointError(
              error.code, error.message, path: file, tensor: error.tensor, offset: error.offset
            ).description)
        }
        throw CheckpointError(
          .malformed,
          "\(parity.summary(of: repair.damage)); 'ckpt convert --keep-going' saves intact tensors",
          path: file)
      }
      common.wrote(output, ["repaired", parity.summary(of: repair.damage)])
    }
  }
}

extension Parity {
  /// What is damaged, and whether it can be restored, as one sentence.
  func summary(of damage: Damage) -> String {
    var parts: [String] = []
    if damage.surplusByteCount != 0 {
      let count = abs(damage.surplusByteCount)
      let bytes = "\(count.grouped) byte\(count == 1 ? "" : "s")"
      parts.append(damage.surplusByteCount > 0 ? "\(bytes) too long" : "\(bytes) cut off")
    }
    parts.append(
      "\(damage.damagedBlockCount.grouped) of \(damage.blockCount.pluralized("block")) damaged")
    if let first = damage.lostBlocks.first {
      parts.append(
        "\(damage.lostBlocks.count.grouped) lost, the first at byte \(first.lowerBound)")
    }
    return parts.joined(separator: ", ")
  }
}
