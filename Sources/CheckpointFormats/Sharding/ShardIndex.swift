import ByteIO
import JSONText
import TensorCore

/// Hugging Face's index of a checkpoint in several files, `model.safetensors.index.json` or
/// `pytorch_model.bin.index.json`: which file, beside the index, has which tensor.
struct ShardIndex {
  /// What errors call the index.
  let name: String
  /// Where the index is, and so the files that it names.
  let place: Place
  /// The index's `metadata`; sizes that follow from the tensors are left out.
  private(set) var values: [Checkpoint.Named] = []
  /// Names of tensors and of the files that have them, in the index's order.
  private(set) var weightMap: [(tensor: TensorName, file: String)] = []

  private let source: ByteSource

  /// Largest index that is read, in bytes; as for a header of safetensors.
  private static let maxSize = 100_000_000
  /// What a writer reckons from the tensors, and a reader has no use for.
  static let derived = ["total_size", "total_parameters"]

  /// The names of the files, each once.
  var files: [String] {
    var known: Set<TensorName> = []
    return weightMap.map(\.file).filter { known.insert(TensorName($0)).inserted }
  }

  /// Whether a file is an index of files that end so: by its name, or by what it begins with.
  static func recognizes(_ candidate: FileProbe, ending: String) -> Bool {
    guard candidate.members == nil, candidate.head.first == UInt8(ascii: "{") else { return false }
    if candidate.name.hasSuffix(ending + ".index.json") { return true }
    let head = String(decoding: candidate.head, as: UTF8.self)
    return head.contains("\"weight_map\"") && head.contains(ending + "\"")
  }

  /// Reads an index.
  ///
  /// - Throws: ``CheckpointError`` when it is not an index, or names a file that is not beside it.
  init(_ probe: FileProbe) throws(CheckpointError) {
    name = probe.path
    place = probe.neighbors
    let file = try probe.source
    source = file
    do throws(CheckpointError) {
      guard file.size <= Self.maxSize else {
        throw CheckpointError(
          .unsupported, "expected an index of at most \(Self.maxSize) bytes, found \(file.size)")
      }
      var scanner = JSONScanner(try file.bytes(0..<file.size))
      try parse(&scanner)
      try scanner.end()
    } catch {
      throw error.adding(path: name)
    }
  }

  private mutating func parse(_ scanner: inout JSONScanner) throws(CheckpointError) {
    var values: [Checkpoint.Named] = []
    var room = ValueRoom()
    var weightMap: [(tensor: TensorName, file: String)]?
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch key {
      case "metadata" where scanner.next() == .object:
        try scanner.object { scanner, key, _ throws(CheckpointError) in
          if Self.derived.contains(key) {
            try scanner.skip()
          } else {
            values.append(Checkpoint.Named(key, try Value.exact(&scanner, &room)))
          }
        }
      case "weight_map":
        var map: [(tensor: TensorName, file: String)] = []
        try scanner.object { scanner, key, _ throws(CheckpointError) in
          map.append((TensorName(key), try Self.fileName(&scanner, of: key)))
        }
        weightMap = map
      default: try scanner.skip()
      }
    }
    guard let weightMap else {
      throw CheckpointError(.malformed, "expected a weight_map in the index, found none")
    }
    (self.values, self.weightMap) = (values, weightMap)
  }

  /// A name from a file must not lead anywhere else.
  private static func fileName(
    _ scanner: inout JSONScanner, of tensor: String
  ) throws(CheckpointError) -> String {
    _ = scanner.next()
    let position = scanner.position
    let name = try scanner.string()
    guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")),
      !name.utf8.contains(0)
    else {
      throw CheckpointError(
        .malformed,
        "expected the name of a file beside the index, found '\(JSONScanner.shown(name))'",
        tensor: tensor, offset: position)
    }
    return name
  }

  /// The tensors of all files as one checkpoint, in the index's order; `open` opens one file, and
  /// `name` gives the name in a file of what the index calls otherwise.
  ///
  /// - Throws: ``CheckpointError`` when a file or a tensor that the index names is not there.
  func contents(
    naming name: (TensorName) -> TensorName = { $0 }, open: (ByteSource) throws -> Opened
  ) throws -> Opened {
    let path = self.name
    var joined = ShardJoin(values: values)
    var opened: [TensorName: Int] = [:]
    for (tensor, file) in weightMap where opened[TensorName(file)] == nil {
      opened[TensorName(file)] = opened.count
      var shard = Opened(Checkpoint(entries: []))
      do {
        shard = try open(try place.open(file))
      } catch let error as CheckpointError {
        // Without an offset the file could not be opened; errors inside it are its own.
        guard error.code == .system, error.offset == nil else {
          try Rescue.leaveOut(error)
          joined.add(shard, from: file)
          continue
        }
        // What can be opened later is not lost.
        if Rescue.current != nil, !error.tellsOfDamage { throw error }
        try Rescue.leaveOut(
          CheckpointError(
            .missing, "file '\(file)': \(error.message); the index places '\(tensor)' in it",
            path: path))
      }
      joined.add(shard, from: file)
    }
    for (tensor, file) in weightMap {
      guard let number = opened[TensorName(file)], joined.take(name(tensor), from: number)
      else {
        try Rescue.leaveOut(
          CheckpointError(
            .missing, "is missing from '\(file)', where the index places it", path: path,
            tensor: tensor.text))
        continue
      }
    }
    try joined.takeRest(besides: path)
    // A set that takes the place of another replaces the index before it takes over any other name.
    try source.confirmCurrent()
    var contents = joined.contents
    contents.restoreFromTexts()
    return contents
  }
}

/// A checkpoint that is put together from several files.
struct ShardJoin {
  private(set) var contents = Opened(Checkpoint(entries: []))
  private var names: Set<TensorName> = []
  /// Of each file, the tensors that were not taken yet, by name.
  private var rest: [[TensorName: Checkpoint.Entry]] = []
  /// Of each file, the names of its tensors in order.
  private var order: [[TensorName]] = []
  private var files: [String] = []

  /// The values so far, by name.
  private var known: [TensorName: Value] = [:]

  init(values: [Checkpoint.Named]) { values.forEach { add($0, from: "the index") } }

  private mutating func add(_ named: Checkpoint.Named, from file: String) {
    guard let other = known.updateValue(named.value, forKey: TensorName(named.name)) else {
      contents.checkpoint.values.append(named)
      return
    }
    known[TensorName(named.name)] = other
    if other != named.value {
      contents.notes.append(
        "metadata '\(named.name)' of '\(file)' differs from that of earlier files; left out")
    }
  }

  mutating func add(_ shard: Opened, from file: String) {
    contents.coverage = files.isEmpty ? shard.coverage : min(contents.coverage, shard.coverage)
    for var fingerprint in shard.fingerprints {
      fingerprint.file = file
      contents.fingerprints.append(fingerprint)
    }
    files.append(file)
    var entries: [TensorName: Checkpoint.Entry] = [:]
    for entry in shard.checkpoint.entries { entries[entry.name] = entry }
    rest.append(entries)
    order.append(shard.checkpoint.entries.map(\.name))
    shard.checkpoint.values.forEach { add($0, from: file) }
    if contents.checkpoint.modules.isEmpty {
      contents.checkpoint.modules = shard.checkpoint.modules
    }
    contents.claimedTies.formUnion(shard.claimedTies)
    contents.notes += shard.notes
  }

  mutating func take(_ name: TensorName, from file: Int) -> Bool {
    guard var entry = rest[file].removeValue(forKey: name) else { return false }
    // A tie is kept where the original comes first.
    if let original = entry.alias, !names.contains(original) { entry.alias = nil }
    names.insert(name)
    contents.checkpoint.entries.append(entry)
    return true
  }

  /// What becomes of a tensor in two files where what is intact is saved.
  private static var kept: String { Rescue.current == nil ? "" : ", whose values are taken" }

  /// Takes the tensors of all files, where no index says which has which.
  mutating func takeAll(in path: String) throws(CheckpointError) {
    for file in files.indices {
      for name in order[file] {
        guard !names.contains(name) else {
          try Rescue.leaveOut(
            CheckpointError(
              .malformed, "is in '\(files[file])' and in an earlier file\(Self.kept)", path: path,
              tensor: name.text))
          continue
        }
        _ = take(name, from: file)
      }
    }
  }

  /// Adds the tensors that the index does not name, which other loaders also see.
  mutating func takeRest(besides index: String) throws(CheckpointError) {
    for file in files.indices {
      let unnamed = rest[file].keys.sorted()
      for name in unnamed {
        if names.contains(name) {
          try Rescue.leaveOut(
            CheckpointError(
              .malformed,
              "is also in '\(files[file])', but the index names another file\(Self.kept)",
              path: index, tensor: name.text))
          continue
        }
        _ = take(name, from: file)
      }
      if let first = unnamed.first {
        contents.notes.append(
          unnamed.count == 1
            ? "1 tensor of '\(files[file])' is not in the index: '\(first)'"
            : "\(unnamed.count) tensors of '\(files[file])' are not in the index (first: '\(first)')"
        )
      }
    }
  }
}
