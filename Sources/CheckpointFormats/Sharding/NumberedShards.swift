import ByteIO
import TensorCore

/// Files of one checkpoint that only their names join: `model-00001-of-00003.safetensors`.
struct NumberedShards {
  /// Names in the folder, in order.
  let names: [String]
  let folder: Place

  /// The files of a folder that end so, if they are exactly one set.
  ///
  /// - Throws: ``CheckpointError`` `missing` when one of the set is not in the folder.
  init?(_ probe: FileProbe, ending: String) throws(CheckpointError) {
    let files = probe.members(endingIn: ending)
    let parts = files.compactMap { Part($0.dropLast(ending.count)) }
    guard let first = parts.first, first.count > 1, parts.count == files.count,
      parts.allSatisfy({ $0.stem == first.stem && $0.count == first.count }),
      first.count <= Self.maxCount
    else { return nil }
    let known = Dictionary(zip(parts.map(\.number), files)) { first, _ in first }
    var names: [String] = []
    for number in 1...first.count {
      guard let name = known[number] else {
        throw CheckpointError(
          .missing,
          "expected \(first.count) files as '\(files[0])' is named, found \(files.count): number "
            + "\(number) is missing", path: probe.path)
      }
      names.append(name)
    }
    self.names = names
    folder = probe.folder
  }

  /// Whether a folder holds such files.
  static func recognizes(_ probe: FileProbe, ending: String) -> Bool {
    probe.members(endingIn: ending).contains { Part($0.dropLast(ending.count)) != nil }
  }

  private static let maxCount = 100_000

  /// A name such as `model-00001-of-00003`, without its ending.
  private struct Part {
    let stem: Substring
    let number: Int
    let count: Int

    init?(_ name: Substring) {
      let words = name.split(separator: "-", omittingEmptySubsequences: false)
      guard words.count >= 4, words[words.count - 2] == "of",
        let number = Int(words[words.count - 3]),
        let count = Int(words[words.count - 1]), number >= 1, number <= count
      else { return nil }
      self.number = number
      self.count = count
      stem = name.dropLast(words.suffix(3).map { $0.utf8.count + 1 }.saturatedSum())
    }
  }

  /// The tensors of all files as one checkpoint, in the order of the files.
  ///
  /// - Throws: ``CheckpointError`` when two files have a tensor of the same name.
  func contents(open: (ByteSource) throws -> Opened) throws -> Opened {
    var joined = ShardJoin(values: [])
    for name in names { joined.add(try open(try folder.open(name)), from: name) }
    try joined.takeAll(in: folder.path(of: names[0]))
    var contents = joined.contents
    contents.restoreFromTexts()
    return contents
  }
}
