import ParallelWork
public import TensorCore

/// What a format finds in a file: one checkpoint, and what the checkpoint itself cannot say.
public struct Opened: Sendable {
  /// The tensors, not yet read.
  ///
  /// Where a file only claims that two tensors are tied, whoever writes them compares their bytes first.
  public var checkpoint: Checkpoint
  /// The checkpoints of a file that holds several, the one that was opened among them.
  ///
  /// A trainer's file has the model and the optimizer's state. Empty for a file with one.
  public var parts: [Part] = []
  /// Whether ``OpenOptions/key`` chose the one that was opened, so that nobody expects the others.
  public var isChosenPart = false
  /// Remarks for users about content that is not in the tensors, one sentence each.
  public var notes: [String] = []
  /// The fingerprints that its files carry, not yet compared: one for each file that has one.
  public var fingerprints: [StoredFingerprint] = []
  /// What the file's own checksums cover, which are compared when everything is read.
  public var coverage = ChecksumCoverage.none
  /// Names of aliases that the file only claims, having the bytes twice; see ``confirmTies(among:)``.
  public var claimedTies: Set<TensorName> = []

  /// The same, of a file that has checksums over the bytes of all tensors.
  var checksummed: Self {
    var copy = self
    copy.coverage = .tensors
    return copy
  }

  /// A checkpoint about which there is nothing more to say, such as one made in memory.
  public init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

  /// One of several checkpoints in a file.
  public struct Part: Sendable, Hashable {
    /// The value of `--key` that selects it: a dotted path inside the file, such as `optimizer_state`.
    public let key: String
    /// Number of tensors.
    public let tensorCount: Int
    /// Total size of the tensors in bytes.
    public let byteCount: Int
    /// Whether it is the one that was opened.
    public let isOpened: Bool

    /// Describes a part.
    public init(key: String, tensorCount: Int, byteCount: Int, isOpened: Bool) {
      self.key = key
      self.tensorCount = tensorCount
      self.byteCount = byteCount
      self.isOpened = isOpened
    }
  }

  /// That the file holds more than what was opened; `nil` if it does not, or if a part was asked for.
  public var partsNote: String? {
    let others = parts.filter { !$0.isOpened }
    guard !isChosenPart, !others.isEmpty else { return nil }
    let rest = others.map { part in
      "\(part.key) (\(part.tensorCount) tensor\(part.tensorCount == 1 ? "" : "s"))"
    }.joined(separator: ", ")
    return "reading \(openedParts); the file also holds \(rest): use --key to select"
      + (others.count == 1 ? " it" : " one")
  }

  /// The keys of the parts that were opened, in quotes.
  package var openedParts: String {
    parts.filter(\.isOpened).map { "'\($0.key)'" }.joined(separator: ", ")
  }

  /// The error for a `--key` that selects none of a file's parts.
  static func unknownPart(_ key: String, known: [String]) -> CheckpointError {
    CheckpointError(
      .missing, "unknown part '\(key)': expected one of \(known.joined(separator: ", "))")
  }

  /// Records a part of the file that is not read as a value, which says what it is, with a note.
  mutating func addUnread(_ name: String, _ what: String, note: String) {
    notes.append(note)
    checkpoint.values.append(Checkpoint.Named(name, .unread(what)))
  }

  /// Records a tensor that cannot be read, with a note.
  mutating func leaveOut(_ name: TensorName, _ reason: String) {
    checkpoint.leftOut[name] = reason
    addUnread(name.text, reason, note: "'\(name)' is left out: \(reason)")
  }

  /// Makes sure that claimed aliases have their originals' bytes, by reading both; those that have
  /// not become tensors of their own, and a note, which is returned and added to ``notes``, says so.
  ///
  /// Whoever writes a checkpoint asks for this first: what is tied is written once. To look at a
  /// checkpoint nothing need be read. Claims of tensors that are not among `names` are left alone.
  @discardableResult
  public mutating func confirmTies(among names: Set<TensorName>? = nil) throws -> [String] {
    if claimedTies.isEmpty { return [] }
    var found: [String] = []
    let entries = checkpoint.entries
    var indices: [TensorName: Int] = [:]
    for (index, entry) in entries.enumerated() { indices[entry.name] = index }
    for (index, entry) in entries.enumerated() where claimedTies.contains(entry.name) {
      guard let original = entry.alias.flatMap({ indices[$0] }) else { continue }
      if let names, !names.contains(entry.name) || !names.contains(entries[original].name) {
        continue
      }
      if try entry.hasBytes(of: entries[original]) { continue }
      checkpoint.entries[index].alias = nil
      found.append(
        "tensor '\(entry.name)' was tied to '\(entries[original].name)' but now differs from it")
    }
    claimedTies = names.map { names in claimedTies.filter { !names.contains($0) } } ?? []
    notes += found
    return found
  }
}
