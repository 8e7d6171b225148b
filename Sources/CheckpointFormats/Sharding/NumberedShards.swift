import ByteIO
import TensorCore

/// Files of one checkpoint that only their names join: `model-00001-of-00003.safetensors`.
struct NumberedShards {
  /// Names in the folder, in order.
  let names: [String]
  let folder: Place

  /// The files of a folder that end so and are numbered, if they are exactly one set, of this stem if
  /// one is given; numbers begin at 0 or 1.
  ///
  /// - Throws: ``CheckpointError`` `missing` when one of the set is not in the folder, `malformed` when
  ///   two have one number.
  init?(_ probe: FileProbe, ending: String, stem: String? = nil) throws(CheckpointError) {
    let parts = probe.members(endingIn: ending).compactMap { Part($0.dropLast(ending.count)) }
      .filter { stem == nil || stem.map { TensorName($0) } == TensorName(String($0.stem)) }
    guard let first = parts.first, first.count > 1, first.count <= Self.maxCount,
      parts.allSatisfy({ $0.stem == first.stem && $0.count == first.count })
    else { return nil }
    let known = Set(parts.map(\.number))
    let start = known.contains(0) ? 0 : 1
    let missing = (start..<start + first.count).first { !known.contains($0) }
    if missing != nil || parts.count != first.count {
      let problem = missing.map { ": number \($0) is missing" } ?? ""
      try Rescue.leaveOut(
        CheckpointError(
          missing == nil ? .malformed : .missing,
          "expected \(first.count) files as '\(first.name)\(ending)' is named, found "
            + "\(parts.count)\(problem)", path: probe.path))
    }
    names = parts.sorted { $0.number < $1.number }.map { $0.name + ending }
    folder = probe.folder
  }

  private static let maxCount = 100_000

  /// Whether the name of a file says that there are others.
  static func isOneOfSeveral(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return (Part(name[..<dot])?.count ?? 1) > 1
  }

  /// A name such as `model-00001-of-00003` or `model_00001-of-00003`, without its ending.
  private struct Part {
    let name: String
    let stem: Substring
    let number: Int
    let count: Int

    init?(_ name: Substring) {
      var rest = name
      guard let count = Self.takeNumber(&rest), Self.takeWord(&rest),
        let number = Self.takeNumber(&rest), number <= count, !rest.isEmpty
      else { return nil }
      self.name = String(name)
      (self.number, self.count, stem) = (number, count, rest)
    }

    /// Takes a number and the mark before it from the end.
    private static func takeNumber(_ rest: inout Substring) -> Int? {
      let digits = rest.reversed().prefix { $0.isASCII && $0.isNumber }.count
      guard let number = Int(rest.suffix(digits)) else { return nil }
      rest = rest.dropLast(digits)
      guard rest.last == "-" || rest.last == "_" else { return nil }
      rest = rest.dropLast()
      return number
    }

    private static func takeWord(_ rest: inout Substring) -> Bool {
      guard rest.hasSuffix("-of") || rest.hasSuffix("_of") else { return false }
      rest = rest.dropLast(3)
      return true
    }
  }

  /// The tensors of all files as one checkpoint, in the order of the files.
  ///
  /// - Throws: ``CheckpointError`` when two files have a tensor of the same name.
  func contents(open: (ByteSource) throws -> Opened) throws -> Opened {
    var joined = ShardJoin(values: [])
    for name in names {
      do {
        joined.add(try open(try folder.open(name)), from: name)
      } catch let error as CheckpointError {
        try Rescue.leaveOut(error)
      }
    }
    try joined.takeAll(in: folder.path(of: names[0]))
    var contents = joined.contents
    contents.restoreFromTexts()
    return contents
  }
}
