public import TensorCore
public import TorchRandom

/// The plan of a model's initialization: what fills each tensor, and where the generator is.
///
/// Nothing is held but one generator state for each tensor; the values are drawn when entries are
/// read. The steps are those of `torch.manual_seed(seed); m = Net()` and a loop over `m`:
///
///     var plan = try Initialization(of: net, generator: Generator(seed: 0))
///     try plan.construct()
///     try plan.apply([Rule("Linear: weight=xavier_uniform, bias=1")], order: .apply)
///     let checkpoint = try plan.checkpoint()
public struct Initialization: Sendable {
  /// The model.
  package let tree: Module
  /// The generator as it is now; assigning one is `manual_seed` in between.
  package var generator: Generator

  /// Type of the tensors that have none of their own.
  let dtype: DType
  let namedModules: [NamedModule]
  let tensors: [NamedTensor]
  private(set) var originals: [TensorName: TensorName]
  private let originalPaths: [TensorName: String]
  var infos: [TensorName: TensorInfo]
  var values: [TensorName: TensorValues] = [:]
  /// Generators by the names that steps have given them.
  var saved: [String: Generator] = [:]
  /// Paths of modules that come into being later, which rules and casts do not reach yet.
  package var pending: [String] = []
  /// Whether a tie says whose draw is kept.
  let hasReplacements: Bool

  /// Prepares the tensors of a tree, in `dtype` or as `dtypes` says by name.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when a tensor's size overflows.
  public init(
    of tree: Module, dtype: DType = .float32, generator: Generator,
    dtypes: [TensorName: DType] = [:]
  ) throws {
    self.tree = tree
    self.generator = generator
    self.dtype = dtype
    namedModules = tree.namedModules(removeDuplicates: false)
    tensors = tree.namedTensors(removeDuplicates: false)
    var originals: [TensorName: TensorName] = [:]
    var infos: [TensorName: TensorInfo] = [:]
    for tensor in tensors {
      guard originals.updateValue(tensor.original, forKey: tensor.name) == nil else {
        throw CheckpointError(
          .mismatched, "the model has two tensors of this name", tensor: tensor.name.text)
      }
      let type = dtypes[tensor.name] ?? tensor.dtype(inModelOf: dtype)
      try CheckpointError.placing(tensor: tensor.name.text) { () throws(CheckpointError) in
        if let refusal = tensor.refusal { throw refusal }
        infos[tensor.name] = try TensorInfo(dtype: type, shape: tensor.shape)
      }
    }
    self.originals = originals
    hasReplacements = tensors.contains {
      if case .parameter(let parameter) = $0.role { parameter.isReplaced } else { false }
    }
    self.infos = infos
    originalPaths = Dictionary(
      keepingFirst: namedModules.map { (TensorName($0.path), $0.original) })
  }

  /// Whether the module at a path is one that was met before at another.
  func isFurtherPlace(_ path: String) -> Bool {
    originalPaths[TensorName(path)].map { !$0.isSameText(path) } ?? false
  }

  /// Whether a tensor is met under this name first.
  func isOriginal(_ name: TensorName) -> Bool { originals[name] == name }

  /// The name under which a tensor is met first.
  func original(of name: TensorName) -> TensorName { originals[name] ?? name }

  /// Type and shape of the tensor of this name.
  func info(of name: TensorName) -> TensorInfo? { originals[name].flatMap { infos[$0] } }

  /// Plans new values for one tensor, under whichever of its names, and skips past them.
  mutating func plan(_ name: TensorName, _ initializer: any Initializer) throws {
    guard let original = originals[name], let info = infos[original] else { return }
    generator.settle()
    let start = generator
    try CheckpointError.placing(tensor: name.text) {
      let fill = try skip(info, initializer)
      // The initializer leaves the tensor alone, so values planned before stay.
      if case .nothing = fill, values[original] != nil { return }
      values[original] = TensorValues(
        info: info, initializer: initializer, fill: fill, start: start)
    }
  }

  /// Makes a tensor that is not part of the model known to later steps.
  mutating func declare(_ name: TensorName, _ info: TensorInfo) throws {
    guard originals.updateValue(name, forKey: name) == nil else {
      throw CheckpointError(.mismatched, "there is a tensor of this name", tensor: name.text)
    }
    infos[name] = info
  }

  /// Fills a tensor that is not part of the model.
  mutating func discard(_ info: TensorInfo, _ initializer: any Initializer) throws {
    _ = try skip(info, initializer)
  }

  /// Advances the generator past what an initializer draws for a tensor.
  mutating func skip(
    _ info: TensorInfo, _ initializer: any Initializer, isContiguous: Bool = true
  ) throws -> TensorFill {
    let fill = try initializer.fill(for: info)
    try skip(fill, of: info, initializer, isContiguous)
    return fill
  }

  private mutating func skip(
    _ fill: TensorFill, of info: TensorInfo, _ initializer: any Initializer, _ isContiguous: Bool
  ) throws {
    switch fill {
    // Only to refuse, before anything is written, a value that the dtype cannot hold.
    case .constant(let value): _ = try info.dtype.element(nearest: value)
    case .ones: _ = try info.dtype.element(nearest: 1)
    case .random(let distribution, let zeroed):
      if !isContiguous, zeroed != nil {
        throw CheckpointError(.unsupported, "padding_idx needs a whole tensor")
      }
      try Sampling(
        distribution, dtype: info.dtype, count: info.elementCount, contiguous: isContiguous
      ).skip(&generator)
    case .mapped(let base, _): try skip(base, of: info, initializer, isContiguous)
    case .whole(let moments, let make):
      let base = (initializer as? Arithmetic)?.base ?? initializer
      guard isContiguous || moments == nil || base is Orthogonal || info.elementCount < 16 else {
        throw CheckpointError(
          .unsupported,
          "\(base.name) of a part that is not contiguous in memory is not reproduced")
      }
      // An orthogonal matrix is made in float64, with a copy and its reflectors; of other values
      // two tensors and a list of indices are held.
      try Budget.current.checkMemory(
        for: base.name, elements: info.elementCount,
        width: base is Orthogonal ? 32 : 2 * info.dtype.byteWidth + 8)
      // How many words such a draw takes depends on its values, so it is made once here to find
      // out, and again when the tensor is read. Without moments the values are computed and draw
      // nothing.
      if moments != nil { _ = try make(info, &generator) }
    case .streamed, .nothing: break
    }
  }

  /// Gives a tensor the values that another has now, if they are known.
  mutating func copy(_ source: TensorName, to target: TensorName) {
    guard let from = originals[source], let to = originals[target], let info = infos[to],
      let known = values[from], known.info == info
    else { return }
    values[to] = known
  }

  /// Gives a tensor values that are computed from another's, if they are known.
  mutating func derive(
    _ target: TensorName, from source: TensorName, by make: (TensorValues) -> any Initializer
  ) throws {
    guard let from = originals[source], let to = originals[target], let info = infos[to],
      let known = values[from]
    else { return }
    let initializer = make(known)
    try CheckpointError.placing(tensor: target.text) {
      values[to] = TensorValues(
        info: info, initializer: initializer, fill: try initializer.fill(for: info),
        start: generator)
    }
  }

  /// The values that the tensor of this name has now; `nil` if none are known.
  package func values(of name: TensorName) -> TensorValues? {
    originals[name].flatMap { values[$0] }
  }

  /// The tensors of `state_dict()`, in its order, each with a reader that draws its values.
  ///
  /// A tensor with several names is an alias under all but the first.
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when a tensor's values are unknown.
  package func entries() throws -> [Checkpoint.Entry] {
    let persistent = tensors.filter(\.isPersistent)
    let unknown = persistent.filter { values[$0.original] == nil }
    if let first = unknown.first {
      let names = unknown.prefix(5).map { "'\($0.name)'" }.joined(separator: ", ")
      throw CheckpointError(
        .missing,
        """
        \(unknown.count == 1 ? "1 tensor has" : "\(unknown.count) tensors have") no known initial \
        values: \(names)\
        \(unknown.count > 5 ? ", …" : "")\(first.reason.map { " (\($0))" } ?? ""); give them by a rule, or in the --extra file as \
        '\(first.name): \(first.shape) = zeros'
        """)
    }
    let entries = try persistent.compactMap { tensor in
      try entry(of: tensor.name)
    }
    _ = try entries.total()
    return entries
  }

  /// One tensor as an entry of a checkpoint; `nil` if there is none or its values are unknown.
  package func entry(of name: TensorName) throws -> Checkpoint.Entry? {
    guard let original = originals[name], let values = values[original] else { return nil }
    return Checkpoint.Entry(
      name: name, info: values.info, alias: original == name ? nil : original,
      reader: try values.reader())
  }

  /// The checkpoint of everything, with the module tree's labels.
  public func checkpoint() throws -> Checkpoint {
    Checkpoint(entries: try entries(), modules: tree.labels)
  }
}

extension Module {
  /// The checkpoint that `torch.manual_seed(seed); m = Net()` and the rules give.
  public func initialized(
    seed: UInt64 = 0, dtype: DType = .float32, rules: [Rule] = [], order: Rule.Order = .modules
  ) throws -> Checkpoint {
    var plan = try Initialization(of: self, dtype: dtype, generator: Generator(seed: seed))
    try plan.construct()
    try plan.apply(rules, order: order)
    return try plan.checkpoint()
  }
}
