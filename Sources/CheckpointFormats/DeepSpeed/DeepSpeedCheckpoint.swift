import ByteIO
import ParallelWork
import TensorCore

/// A checkpoint of DeepSpeed's ZeRO: the model's names, shapes, and buffers in one file, and in a file
/// for each rank a part of all parameters as flat vectors of float32.
///
/// Names and comments follow deepspeed 0.19, `utils/zero_to_fp32.py`.
struct DeepSpeedCheckpoint {
  let folder: FileProbe
  let models: [DeepSpeedFile]
  let optimizers: [DeepSpeedFile]
  let stage: Int
  private var entries: [Checkpoint.Entry] = []
  private var indices: [TensorName: Int] = [:]

  /// Keys that only say how to join the files.
  private static let structure: Set<String> = [
    "param_shapes", "buffer_names", "shared_params", "frozen_param_shapes",
    "frozen_param_fragments",
  ]
  static let state = "optimizer_state_dict"

  /// Opens all files of a folder.
  ///
  /// - Throws: ``CheckpointError`` when one is missing, or of a kind that `zero_to_fp32` does not join.
  init(_ folder: FileProbe) throws(CheckpointError) {
    self.folder = folder
    let place = folder.folder
    func files(_ ending: String) throws(CheckpointError) -> [DeepSpeedFile] {
      var files: [DeepSpeedFile] = []
      for name in try Self.sorted(folder.members(endingIn: ending), in: folder) {
        files.append(try DeepSpeedFile(name, in: place))
      }
      return files
    }
    optimizers = try files(DeepSpeed.optimizerEnding)
    models = try files(DeepSpeed.modelEnding)
    guard !models.isEmpty else {
      throw CheckpointError(
        .missing,
        "holds no *\(DeepSpeed.modelEnding), which has the names of the parameters; copy it as well",
        path: folder.path)
    }
    let first = optimizers[0]
    guard let stage = first.item(Self.state, "zero_stage").flatMap({ first.number($0) }) else {
      throw CheckpointError(
        .malformed, "expected the key '\(Self.state).zero_stage', found none", path: first.path)
    }
    guard (1...3).contains(stage) else {
      throw CheckpointError(
        .unsupported, "expected ZeRO stage 1, 2, or 3, found \(stage)", path: first.path)
    }
    self.stage = stage
    try checkCount()
  }

  // MARK: - Contents

  /// All tensors in the order in which `zero_to_fp32` has them: buffers, frozen parameters, trained
  /// ones, shared ones.
  func contents() throws(CheckpointError) -> Opened {
    var copy = self
    try copy.addBuffers()
    try copy.addFrozen()
    if stage < 3 { try copy.addGroups() } else { try copy.addPartitioned() }
    try copy.addShared()
    let others = try copy.unjoined()
    let values = models[0].values.filter { !Self.structure.contains($0.name) }
    var opened = Opened(Checkpoint(entries: copy.entries, values: values))
    opened.coverage = (models + optimizers).map(\.coverage).min() ?? .none
    let ranks = optimizers.count
    opened.notes.append(
      "ZeRO stage \(stage), joined from the files of \(ranks) rank\(ranks == 1 ? "" : "s") as "
        + "zero_to_fp32 does; the optimizer's state is not read: name one of the files to see it")
    if let first = others.first {
      let more = others.count > 1 ? " and \(others.count - 1) more are" : " is"
      opened.notes.append(
        "'\(first)'\(more) left out, as zero_to_fp32 does: not trained, and not stored in float32; "
          + "name '\(models[0].name)' to read the model as it is there")
      for name in others {
        opened.checkpoint.leftOut[name] =
          "zero_to_fp32 does not join it; it is in \(models[0].path)"
      }
    }
    return opened
  }

  /// Adds a tensor, in place of one of the same name.
  private mutating func add(_ entry: Checkpoint.Entry) {
    if let index = indices[entry.name] {
      entries[index] = entry
    } else {
      indices[entry.name] = entries.count
      entries.append(entry)
    }
  }

  /// Buffers, in float32 where they are floating-point numbers.
  private mutating func addBuffers() throws(CheckpointError) {
    let file = models[0]
    guard let names = file.item("buffer_names") else { throw file.missing("buffer_names") }
    guard let module = file.item("module") else { throw file.missing("module") }
    let buffers = Set(file.texts(names))
    for (name, value) in try file.items(module, "module") where buffers.contains(name) {
      let buffer = try file.tensor(value, named: name)
      let isNarrow = buffer.info.dtype.isFloatingPoint && buffer.info.dtype != .float32
      add(isNarrow ? try buffer.cast(to: .float32) : buffer)
    }
  }

  private mutating func addFrozen() throws(CheckpointError) {
    let file = models[0]
    guard let shapes = file.item("frozen_param_shapes") else { return }
    let fragments = try fragments()
    for (name, shape) in try file.items(shapes, "frozen_param_shapes") {
      let shape = try file.shape(shape, of: name)
      var parts: [Checkpoint.Entry] = []
      for (file, fragments) in zip(models, fragments) {
        guard let value = fragments[name] else {
          throw CheckpointError(
            .malformed, "is not in frozen_param_fragments", path: file.path, tensor: name.text)
        }
        parts.append(try file.tensor(value, named: name))
      }
      if stage < 3 {
        add(parts[0])
      } else {
        let vector = try FlatVector(parts)
        try add(name, shape, from: vector, at: 0)
      }
    }
  }

  /// Parameters of stages 1 and 2: of each group, the ranks' vectors one after the other hold all.
  private mutating func addGroups() throws(CheckpointError) {
    let vectors = try flatVectors("single_partition_of_fp32_groups")
    let groups = try shapes()
    guard groups.count == vectors[0].count else {
      throw CheckpointError(
        .malformed,
        "expected \(groups.count) groups of parameters, as param_shapes has, found "
          + "\(vectors[0].count)", path: optimizers[0].path)
    }
    let paddings = try alignmentPaddings(groups)
    for (index, group) in groups.enumerated() {
      let vector = try FlatVector(vectors.map { $0[index] })
      let width = vector.dtype.byteWidth
      var position = 0
      for (place, (name, shape)) in group.enumerated() {
        let size = try add(name, shape, from: vector, at: position)
        position = [position, size, paddings[index][place].saturated(times: width)].saturatedSum()
      }
      // Both ends may be filled up to a multiple of twice the number of ranks.
      let alignment = width.saturated(times: optimizers.count).saturated(times: 2)
      guard
        position.roundedUp(to: alignment) == vector.byteCount.roundedUp(to: alignment)
      else { throw wrongSize(position / width, vector.byteCount / width) }
    }
  }

  /// Parameters of stage 3: each is divided among the ranks.
  private mutating func addPartitioned() throws(CheckpointError) {
    var ranks: [FlatVector] = []
    for vectors in try flatVectors("fp32_flat_groups") { ranks.append(try FlatVector(vectors)) }
    for rank in ranks where rank.byteCount != ranks[0].byteCount || rank.dtype != ranks[0].dtype {
      throw CheckpointError(
        .mismatched, "the ranks' flat tensors differ in size or type", path: folder.path)
    }
    let width = ranks[0].dtype.byteWidth
    var position = 0
    for (name, shape) in try shapes().flatMap({ $0 }) {
      let info = try info(name, ranks[0].dtype, shape)
      let share = ([info.elementCount, ranks.count - 1].saturatedSum() / ranks.count)
        .saturated(times: width)
      let end = [position, share].saturatedSum()
      guard end <= ranks[0].byteCount else {
        throw wrongSize(end / width, ranks[0].byteCount / width)
      }
      let vector = PartitionedVector(ranks: ranks, start: position, share: share)
      add(
        Checkpoint.Entry(name: name, info: info) { range, target in
          try vector.read(at: range.lowerBound, into: &target)
        })
      position = end
    }
    guard position == ranks[0].byteCount else {
      throw wrongSize(position / width, ranks[0].byteCount / width)
    }
  }

  /// Parameters that are others under a further name.
  private mutating func addShared() throws(CheckpointError) {
    let file = models[0]
    guard let shared = file.item("shared_params") else { return }
    for (name, value) in try file.items(shared, "shared_params") {
      guard let original = file.text(value).map({ TensorName($0) }), original != name,
        let index = indices[original], indices[name].map({ index < $0 }) ?? true
      else { continue }
      var entry = entries[index]
      entry.alias = entry.alias ?? original
      entry.name = name
      add(entry)
    }
  }

  /// Tensors of a whole model that are not among the joined ones: frozen parameters in stage 1.
  private func unjoined() throws(CheckpointError) -> [TensorName] {
    guard stage < 3, let module = models[0].item("module") else { return [] }
    return try models[0].items(module, "module").map(\.name).filter { indices[$0] == nil }
  }

  // MARK: - Tensors

  private func info(
    _ name: TensorName, _ dtype: DType, _ shape: [Int]
  ) throws(CheckpointError) -> TensorInfo {
    try CheckpointError.placing(
      TensorInfo(dtype: dtype, shape: shape), path: models[0].path, tensor: name.text)
  }

  /// Adds a tensor that begins at an offset of a vector, and returns its size in bytes.
  @discardableResult
  private mutating func add(
    _ name: TensorName, _ shape: [Int], from vector: FlatVector, at offset: Int
  ) throws(CheckpointError) -> Int {
    let info = try info(name, vector.dtype, shape)
    guard offset <= vector.byteCount, info.byteCount <= vector.byteCount - offset else {
      throw CheckpointError(
        .malformed,
        "shape \(shape) extends beyond the \(vector.byteCount) bytes of the ranks' flat tensors",
        path: folder.path, tensor: name.text)
    }
    add(
      Checkpoint.Entry(name: name, info: info) { range, target in
        try vector.read(at: offset + range.lowerBound, into: &target)
      })
    return info.byteCount
  }

  private func wrongSize(_ expected: Int, _ found: Int) -> CheckpointError {
    CheckpointError(
      .malformed,
      "expected \(expected) elements in each flat tensor of the ranks, found \(found)",
      path: folder.path)
  }
}

extension Int {
  /// The smallest multiple of `step` that is not below this number.
  fileprivate func roundedUp(to step: Int) -> Int { [self, step - 1].saturatedSum() / step * step }
}
