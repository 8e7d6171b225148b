import ByteIO
public import CheckpointFormats
public import TensorCore

/// Where a checkpoint is written as several files with an index, `--shard-size`.
public struct ShardedTarget: Sendable {
  private let place: Place
  private let name: String
  /// The format that each file is written in.
  public let format: CheckpointFormat
  private let limit: Int
  private let options: WriteOptions
  private let overwrites: Bool

  /// Settles the format and where the files go.
  ///
  /// `path` is what one file would be called, `model.safetensors`; the files are
  /// `model-00001-of-00003.safetensors` and so on, the index `model.safetensors.index.json`. `limit`
  /// is the most bytes of tensors in a file, unless one tensor has more.
  /// - Throws: `CheckpointError` for a format of which several files are not read as one.
  public init(
    _ path: String, format: CheckpointFormat? = nil, limit: Int,
    options: WriteOptions = WriteOptions(), overwrites: Bool = false
  ) throws(CheckpointError) {
    let format = try CheckpointFormat.writable(format, path)
    guard path != "-", format.capabilities.isSharded, limit > 0 else {
      let names = CheckpointFormat.all.filter(\.capabilities.isSharded).map(\.name)
        .joined(separator: ", ")
      throw CheckpointError(
        .unsupported,
        "sharded output needs a file name and one of these formats: \(names)",
        path: path)
    }
    (place, name) = Place.locate(path)
    self.format = format
    self.limit = limit
    self.options = options
    self.overwrites = overwrites
  }

  /// What was written: the paths, the index last; what is lost by the division, and what could not be done after all
  /// was written, such as removing old files, one sentence each.
  public typealias Written = (paths: [String], notes: [String], warnings: [String])

  /// Writes the files and their index, which take their names together when all of it is on the disk: until then,
  /// and after a failure, what was there is as it was.
  ///
  /// Of files that only the old index names, those that are numbered shards of this name are removed at the end.
  ///
  public func write(_ checkpoint: Checkpoint) async throws -> Written {
    try format.capabilities.check(checkpoint, options, format: format.name)
    let plan = try ShardPlan(checkpoint, limit: limit, name: name)
    guard let files = FileSet(in: place, replacing: overwrites) else {
      throw CheckpointError(
        .unsupported, "files there can only be read", path: place.path(of: name))
    }
    try files.check(plan.indexName)
    // Those that the old index names lose it together with their names.
    let replaced = Set(oldShards(of: plan).names.map { TensorName($0) })
    for shard in plan.shards where !replaced.contains(TensorName(shard.name)) {
      let path = place.path(of: shard.name)
      if ByteSource.isBeingRead(path) {
        throw CheckpointError(
          .unsupported, "is one of the files that are read; write to another file", path: path)
      }
    }
    let targets = try plan.shards.map { shard in
      try CheckpointTarget(
        shard.name, in: place, format: format, options: options, overwrites: overwrites)
    }
    for (target, shard) in zip(targets, plan.shards) {
      try await target.write(shard.checkpoint, to: try files.sink(shard.name))
    }
    let index = plan.index
    var warnings: [String] = []
    let left = try files.commit(index: plan.indexName) { names throws(CheckpointError) in
      try ShardNames.replaced(names, in: index)
    } obsolete: {
      let new = Set(plan.shards.map { TensorName($0.name) })
      let old = oldShards(of: plan)
      if let error = old.error {
        warnings.append(
          "files that only the old index named may be left, since it could not be read: "
            + error.message)
      }
      return old.names.filter { !new.contains(TensorName($0)) }
    }
    let paths = plan.shards.map { place.path(of: $0.name) } + [place.path(of: plan.indexName)]
    return (paths, plan.notes, warnings + left)
  }

  /// The shards of this name that the index names which is there now, or why it cannot be read.
  private func oldShards(of plan: ShardPlan) -> (names: [String], error: CheckpointError?) {
    do throws(CheckpointError) {
      guard let old = try place.openFile(plan.indexName) else { return ([], nil) }
      return (ShardNames.shards(of: name, in: try old.bytes(0..<old.size)), nil)
    } catch {
      return ([], error.isMissingFile ? nil : error)
    }
  }
}
