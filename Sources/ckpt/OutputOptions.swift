import ArgumentParser
import CheckpointKit

/// Options of commands that write a checkpoint.
struct OutputOptions: ParsableArguments {
  /// The words that `--compression` takes, of which gzip may have a level after it.
  private static let compressions = ["planes", "planes:fast", "planes:small", "gzip", "none"]

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Output format. Default: by file extension. One of \(CheckpointFormat.writableNames).",
      valueName: "format"),
    completion: .list(CheckpointFormat.all.filter { $0.write != nil }.map(\.name)))
  var to: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      """
      How tensors are packed: planes[:fast|:small], gzip, none. planes, the default of .ckz, packs \
      about 1 GB/s per core; planes:fast \
      without a choice of filters, faster and larger where values repeat or are pruned; \
      planes:small, slow, for the last percent, not all of it as zlib streams; gzip[:LEVEL] as zlib packs HDF5, at 0.05 GB/s; or \
      none, at the speed of copying.
      """, valueName: "kind"), completion: .list(Self.compressions))
  var compression: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Add recovery data to a .ckz file, in percent. 1 to 100; 'ckpt repair' restores as much damage, wherever it is.",
      valueName: "percent"))
  var parity: Int?

  @Flag(name: .long, help: "Replace an existing file.")
  var force = false

  func validate() throws {
    try checkParity(parity)
    try checkingUsage { _ = try format }
    guard let compression, WriteOptions.Compression(named: compression) == nil else { return }
    let names = Self.compressions
    let near = nearestName(to: compression, among: names).map { [$0] } ?? []
    throw ValidationError(
      "unknown compression '\(compression)': expected planes, planes:fast, planes:small, gzip, "
        + "gzip:1 to gzip:9, or none"
        + near.question)
  }

  /// How to store tensors, as the options say.
  func writeOptions(_ common: CommonOptions) -> WriteOptions {
    var options = WriteOptions()
    options.threads = common.threads
    options.parity = parity
    if let parsed = compression.flatMap(WriteOptions.Compression.init(named:)) {
      options.compression = parsed
    }
    return options
  }

  /// The format that `--to` names; `nil` without it.
  var format: CheckpointFormat? {
    get throws { try to.map { try CheckpointFormat.writable(named: $0) } }
  }

  /// The target, refused before any work if it cannot be written.
  func target(_ path: String, _ common: CommonOptions) throws -> CheckpointTarget {
    if path == "-" && to == nil {
      throw ValidationError("standard output has no file extension; pass --to FORMAT")
    }
    try checkStandardOutput(path)
    return try CheckpointTarget(
      path, format: try format, options: writeOptions(common), overwrites: force)
  }

  /// The target for a filled copy of a file or a folder; `nil` if the output is to be of another format,
  /// or compressed in another way, and so is written anew.
  func copyTarget(_ path: String, of source: CheckpointSource) throws -> CopyTarget? {
    guard compression == nil, parity == nil, source.format.fill != nil, source.probe.step == nil
    else {
      return nil
    }
    let named = try format ?? CheckpointFormat.named(byEndingOf: path)
    let isFolder = source.probe.members != nil && named == nil
    let isAlike = path == "-" || path.ending == source.path.ending || isFolder
    guard named?.name == source.format.name || to == nil && isAlike else { return nil }
    try checkStandardOutput(path)
    return try CopyTarget(copying: source.probe, to: path, overwrites: force)
  }

  private func checkStandardOutput(_ path: String) throws {
    if path == "-" && StandardOutput.isTerminal {
      throw ValidationError("standard output is a terminal; redirect it, or give a file")
    }
  }
}

/// Refuses a percentage of parity that there is not.
func checkParity(_ percent: Int?) throws {
  guard let percent, !(1...100).contains(percent) else { return }
  throw ValidationError("--parity: expected a percentage of 1 to 100, found \(percent)")
}
