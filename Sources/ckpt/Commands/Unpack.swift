import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Unpack: AsyncParsableCommand, CommonCommand {
    static let configuration = CommandConfiguration(
      commandName: "unpack",
      abstract: "Write the checkpoints of a pack as files again, all of them or one.",
      discussion: """
        Each gets its former name and, where ckpt writes it, its former format; others become .ckz \
        files. Tensors and values are written as 'ckpt convert --all' writes them: Python classes of \
        containers and of single numbers are not kept, and the bytes of a file may be others. Of \
        several of one name, each gets its number: last-3.pt.

        EXAMPLES
          ckpt unpack run.ckz
          ckpt unpack run.ckz -o restored
          ckpt unpack run.ckz --step 3 -o epoch3.safetensors
          ckpt unpack run.ckz --step latest -o latest.pt
        """)

    @Argument(help: "A pack.", completion: .file()) var pack: String
    @Option(
      help: ArgumentHelp(
        "Only this checkpoint: a number, counted from 0, or 'latest'.", valueName: "number"))
    var step: String?
    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp(
        "Folder for the files, made if it is missing; with --step, the file. Default: the current folder.",
        valueName: "path"))
    var output: String?
    @OptionGroup var target: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      if let step, step != "latest", (Int(step) ?? -1) < 0 {
        throw ValidationError("--step: expected a number or 'latest', found '\(step)'")
      }
      if step == nil, output == "-" {
        throw ValidationError("standard output takes one checkpoint; pass --step")
      }
    }

    func run() async throws {
      guard let opened = try RunPack(.checkpoint(pack)) else {
        throw CheckpointError(
          .unsupported, "is not a pack; 'ckpt convert' writes a checkpoint in other formats",
          path: displayPath(pack))
      }
      let count = opened.steps.count
      let only = step.map { $0 == "latest" ? count - 1 : Int($0) ?? count }
      if let only, only >= count {
        throw CheckpointError(
          .missing, "expected a step of 0 to \(count - 1), found \(only)", path: pack)
      }
      let names = names(opened.steps)
      if only == nil, let output { try CheckpointTarget.makeFolder(output) }
      // All targets are looked at before the first is written.
      let files = try (only.map { [$0] } ?? Array(0..<count)).map { step in
        let path = only == nil ? output.map { "\($0)/\(names[step])" } : output
        try refuseReadFile(path ?? names[step])
        return (step: step, path: path ?? names[step], target: try destination(path ?? names[step]))
      }
      for (step, path, target) in files {
        var target = target
        let checkpoint = try opened.checkpoint(step)
        try naming("\(pack)@\(step)") {
          try Budget.current.checkValues(
            of: checkpoint.total().byteCount, inFileOf: opened.byteCount)
        }
        target.options.nests = checkpoint.isNested
        try await naming("\(pack)@\(step)") {
          try await target.write(checkpoint, to: path, showing: common)
        }
        common.wrote(path, checkpoint.counts)
      }
    }

    private func destination(_ path: String) throws -> CheckpointTarget {
      try target.target(path, common)
    }

    /// Names for all steps, each its own, with endings that say a format that can be written.
    private func names(_ steps: [RunPack.Step]) -> [String] {
      let counts = Dictionary(steps.map { (TensorName($0.name), 1) }, uniquingKeysWith: +)
      var taken = Set(counts.filter { $0.value == 1 }.keys)
      return steps.enumerated().map { number, step in
        var name = step.name
        if counts[TensorName(name), default: 1] > 1 {
          let ending = name.contains(".") ? String(name.ending) : ""
          let start = String(name.dropLast(ending.count)) + "-\(number)"
          name = start + ending
          while !taken.insert(TensorName(name)).inserted {
            name = String(name.dropLast(ending.count)) + "-\(number)" + ending
          }
        }
        let format = CheckpointFormat.named(byEndingOf: name)
        let isWritten =
          format?.name == step.format && format?.write != nil
          && format?.capabilities.needsTemplate == false
        return target.to != nil || isWritten ? name : name + ".ckz"
      }
    }
  }
}
