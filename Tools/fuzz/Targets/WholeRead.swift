import ByteIO
import CheckpointFormats
import CheckpointKit
import TensorCore
import TestSupport

/// Everything that commands read of a file, in memory: tensors, values, the module tree.
struct WholeRead {
  private let files: MemoryFiles
  private let name: String
  private let step: PackStep?

  /// Bytes of values that are read; a file may claim very many.
  private static let maxBytes = 1 << 16
  /// Tensors that are read.
  private static let maxTensors = 64

  init(_ name: String, in files: MemoryFiles, step: PackStep? = nil) {
    (self.name, self.files, self.step) = (name, files, step)
  }

  /// Opens the file and reads it; what remains is to write it in some format.
  func run(_ dice: inout SplitMix) throws -> FuzzTarget.Rest? {
    let probe = try FileProbe(name, in: files.place, step: step)
    let source = try CheckpointSource.open(probe)
    for part in source.parts.prefix(4) {
      _ = try? CheckpointSource.open(probe, options: OpenOptions(key: part.key))
    }
    try Self.read(source.checkpoint, &dice)
    try Self.values(of: source.checkpoint)
    // Each of these takes more time than all before, and so is done for some inputs only.
    switch dice.below(16) {
    case 0: try Self.tree(of: source)
    case 1:
      try Self.convert(source)
      var opened = source.opened
      try opened.confirmTies(among: Set(opened.checkpoint.entries.prefix(8).map(\.name)))
    case 2: return try RoundTrip.rest(source, &dice)
    default: break
    }
    return nil
  }

  /// Reads tensors as a whole and in small pieces, which must agree, and the ends of large ones.
  static func read(_ checkpoint: Checkpoint, _ dice: inout SplitMix) throws {
    var (left, first) = (maxBytes, CheckpointError?.none)
    for entry in checkpoint.entries.prefix(maxTensors) {
      let size = entry.info.byteCount
      let count = min(size, left)
      left -= count
      do {
        try compare(entry, count, &dice)
        if size > count { _ = try bytes(of: entry, size - min(size, 64)..<size) }
      } catch let error as CheckpointError {
        first = first ?? error
      }
    }
    if let first { throw first }
  }

  private static func compare(
    _ entry: Checkpoint.Entry, _ count: Int, _ dice: inout SplitMix
  ) throws {
    let whole = try bytes(of: entry, 0..<count)
    guard count > 0 else { return }
    // A range in the middle, then steps from the beginning, as a reader that goes back does it.
    let start = dice.below(count)
    var ranges = [start..<start + 1 + dice.below(count - start)]
    var position = 0
    while position < count, ranges.count < 6 {
      let end = ranges.count == 5 ? count : position + 1 + dice.below(count - position)
      ranges.append(position..<end)
      position = end
    }
    for range in ranges where try bytes(of: entry, range) != Array(whole[range]) {
      throw Finding("bytes \(range) of '\(entry.name)' differ from those of the whole tensor")
    }
  }

  static func bytes(of entry: Checkpoint.Entry, _ range: Range<Int>) throws -> [UInt8] {
    try [UInt8](count: range.count) { target in try entry.read(range, into: &target) }
  }

  // MARK: - Steps

  private static func values(of checkpoint: Checkpoint) throws {
    for named in checkpoint.values.prefix(64) { _ = named.value.shortText(limit: 60) }
    for address in checkpoint.addresses(atMost: 64) {
      guard checkpoint.value(at: address) != nil else {
        throw Finding("there is no value at the address '\(address)' that is listed")
      }
    }
  }

  private static func tree(of source: CheckpointSource) throws {
    guard source.checkpoint.entries.count <= 1000 else { return }
    let tree = try source.checkpoint.tree()
    _ = tree.module.description
    _ = try tree.module.json()
    _ = try Reinitialization(match: [Selector("**")]).applied(to: source.opened, tree: tree)
  }

  private static func convert(_ source: CheckpointSource) throws {
    let result = try Conversion(Selection()).applied(to: source.opened)
    for format in CheckpointFormat.all where format.write != nil {
      _ = ConversionPlan(of: result, from: source.checkpoint, to: format)
    }
  }
}
