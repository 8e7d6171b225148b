import ByteIO
import TensorCore

/// Checkpoints in one folder that are parts of one: the models of a pipeline, the files of ranks.
struct FolderParts {
  /// One part.
  struct Part {
    /// What `--key` calls it, and what the names of its tensors begin with where all are read.
    let key: String
    /// The file or the folder that it is in.
    let probe: FileProbe
    let format: CheckpointFormat
  }

  let parts: [Part]

  /// Opens the part that a key chooses, its tensors under their own names, or all, their names after
  /// their keys.
  ///
  /// - Throws: what opening a part throws, and ``CheckpointError`` `missing` for an unknown key.
  func contents(_ options: OpenOptions) throws -> Opened {
    if let key = options.key, !parts.contains(where: { $0.key == key }) {
      throw Opened.unknownPart(key, known: parts.map(\.key))
    }
    var joined = Opened(Checkpoint(entries: []))
    joined.isChosenPart = options.key != nil
    var inner = options
    inner.key = nil
    for part in parts {
      let isChosen = options.key.map { part.key == $0 } ?? true
      var opened = try part.format.open(part.probe, inner)
      let total = try opened.checkpoint.entries.total(includingAliases: false)
      joined.parts.append(
        Opened.Part(
          key: part.key, tensorCount: opened.checkpoint.entries.count, byteCount: total.byteCount,
          isOpened: isChosen))
      guard isChosen else { continue }
      if options.key != nil {
        opened.parts = []
        opened.isChosenPart = true
        joined = joined.taking(opened)
      } else {
        joined.add(opened, named: part.key)
      }
    }
    return joined
  }

  /// Checks all parts as their formats do.
  func damage(threads: Int) async throws -> [CheckpointError] {
    var damage: [CheckpointError] = []
    for part in parts {
      let found = try await part.format.verify?(part.probe, threads) ?? []
      damage += found.map { $0.adding(path: part.probe.path) }
    }
    return damage
  }
}

extension Opened {
  /// What was opened, with the list of parts of this one.
  fileprivate func taking(_ opened: Opened) -> Opened {
    var copy = opened
    copy.parts = parts
    return copy
  }

  /// Adds what a part holds, its names after the part's.
  fileprivate mutating func add(_ part: Opened, named key: String) {
    func name(_ name: TensorName) -> TensorName { TensorName(key + "." + name.text) }
    coverage = checkpoint.entries.isEmpty ? part.coverage : min(coverage, part.coverage)
    for var entry in part.checkpoint.entries {
      entry.name = name(entry.name)
      entry.alias = entry.alias.map(name)
      checkpoint.entries.append(entry)
    }
    for (tensor, reason) in part.checkpoint.leftOut {
      checkpoint.leftOut[name(tensor)] = reason
    }
    claimedTies.formUnion(part.claimedTies.map(name))
    if !part.checkpoint.values.isEmpty {
      checkpoint.values.append(
        Checkpoint.Named(
          key, .dictionary(part.checkpoint.values.map { Value.Member($0.name, $0.value) })))
    }
    notes += part.notes.map { "\(key): \($0)" }
  }
}

extension FileProbe {
  /// A sentence about checkpoints in a folder beside the files that are read, of which the first is
  /// named; empty if there are none, or for a file.
  func othersNote(reading names: [String]) -> [String] {
    guard let first = names.first, let members else { return [] }
    let read = Set(names.map { TensorName($0) })
    let endings = CheckpointFormat.all.flatMap(\.extensions)
    var others = members.filter { name in
      !read.contains(TensorName(name)) && !Self.companions.contains(name)
        && endings.contains { name.lowercased().hasSuffix($0) }
    }
    if DeepSpeed.recognizes(self) { others.append("files of DeepSpeed") }
    guard !others.isEmpty else { return [] }
    return [
      "reading '\(first)'\(names.count > 1 ? " and its files" : ""); the folder also holds "
        + "\(others.listed(upTo: 3)): name one to read it"
    ]
  }

  /// Files that trainers put beside a model and that hold none.
  private static let companions: Set<String> = ["training_args.bin"]
}
