import ByteIO
import TensorCore

/// Files of one checkpoint that only their names join: `model-00001-of-00003.safetensors`.
struct NumberedShards {
  /// Names in the folder, in order.
  let names: [String]
  let folder: Place

  /// The files of a folder that end so, if they are exactly one set.
  ///
  /// - Throws: ``CheckpointError`` `missing` when one of the set is not in the folder, `malformed` when
  ///   two have one number.
  init?(_ probe: FileProbe, ending: String) throws(CheckpointError) {
    guard let parts = Self.set(in: probe, ending), let first = parts.first else { return nil }
    let known = Dictionary(parts.map { ($0.number, $0.stem) }) { first, _ in first }
    let missing = (1...first.count).first { known[$0] == nil }
    guard missing == nil, parts.count == first.count else {
      let problem = missing.map { ": number \($0) is missing" } ?? ""
      throw CheckpointError(
        missing == nil ? .malformed : .missing,
        "expected \(first.count) files as '\(first.name)\(ending)' is named, found "
          + "\(parts.count)\(problem)", path: probe.path)
    }
    names = parts.sorted { $0.number < $1.number }.map { $0.name + ending }
    folder = probe.folder
  }

  /// Whether a folder holds files of such a set, all of them or not.
  static func recognizes(_ probe: FileProbe, ending: String) -> Bool {
    set(in: probe, ending) != nil
  }

  /// The parts that the files of a folder which end so are; `nil` if another file is among them.
  private static func set(in probe: FileProbe, _ ending: String) -> [Part]? {
    let files = probe.members(endingIn: ending)
    let parts = files.compactMap { Part($0.dropLast(ending.count)) }
    guard let first = parts.first, first.count > 1, first.count <= maxCount,
      parts.count == files.count,
      parts.allSatisfy({ $0.stem == first.stem && $0.count == first.count })
    else { return nil }
    return parts
  }

  private static let maxCount = 100_000

  /// A name such as `model-00001-of-00003`, without its ending.
  private struct Part {
    let name: String
    let stem: Substring
    let number: Int
    let count: Int

    init?(_ name: Substring) {
      let words = name.split(separator: "-", omittingEmptySubsequences: false)
      guard words.count >= 4, words[words.count - 2] == "of",
        let number = Int(words[words.count - 3]),
        let count = Int(words[words.count - 1]), number >= 1, number <= count
      else { return nil }
      self.name = String(name)
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
