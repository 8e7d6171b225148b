public import TensorCore
public import TorchRandom

/// A model's tensors being initialised: which draw gives each its values, and where the generator
/// stands.
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
  public let tree: Module
  /// The generator as it is now; assigning one is `manual_seed` in between.
  public var generator: Generator

  let places: [PlacedModule]
  let tensors: [PlacedTensor]
  private let originals: [TensorName: TensorName]
  private let originalPaths: [TensorName: String]
  private let infos: [TensorName: TensorInfo]
  private var values: [TensorName: TensorValues] = [:]

  /// Prepares the tensors of a tree, in `dtype` or as `dtypes` says by name.
  ///
  /// - Throws: ``CheckpointError`` when a tensor's size overflows.
  public init(
    of tree: Module, dtype: DType = .float32, generator: Generator,
    dtypes: [TensorName: DType] = [:]
  ) throws {
    self.tree = tree
    self.generator = generator
    places = tree.namedModules(removeDuplicates: false)
    tensors = tree.placedTensors(removeDuplicates: false)
    var originals: [TensorName: TensorName] = [:]
    var infos: [TensorName: TensorInfo] = [:]
    for tensor in tensors {
      guard originals.updateValue(tensor.original, forKey: tensor.name) == nil else {
        throw CheckpointError(
          .mismatched, "found two tensors of this name in the model", tensor: tensor.name.text)
      }
      let type = dtypes[tensor.name] ?? tensor.dtype(inModelOf: dtype)
      do {
        infos[tensor.name] = try TensorInfo(dtype: type, shape: tensor.shape)
      } catch {
        throw error.adding(tensor: tensor.name.text)
      }
    }
    self.originals = originals
    self.infos = infos
    originalPaths = Dictionary(
      places.map { (TensorName($0.path), $0.original) }, uniquingKeysWith: { first, _ in first })
  }

  /// Initialises everything as the constructors do, in the order in which they run.
  ///
  /// - Throws: ``CheckpointError`` when an initialiser refuses a tensor.
  public mutating func construct() throws { try construct(tree, at: "") }

  private mutating func construct(_ module: Module, at path: String) throws {
    let place = PlacedModule(path: path, module: module, original: path)
    if let original = originalPaths[TensorName(path)], !original.isSameText(path) { return }
    for buffer in module.ownBuffers {
      try draw(TensorName(place.name(of: buffer.name)), Constant(buffer.value))
    }
    for step in module.construction {
      switch step {
      case .ownParameters:
        for parameter in module.ownParameters {
          guard let initializer = parameter.initializer else { continue }
          let name = TensorName(place.name(of: parameter.name))
          // A tied parameter is drawn before another tensor takes its place.
          try draw(name, initializer, isKept: originals[name] == name)
        }
      case .child(let name):
        guard let child = module[name] else { continue }
        try construct(child, at: place.name(of: name))
      case .copy(let source, let target):
        copy(below: place.name(of: source), to: place.name(of: target))
      case .fill(let name, let initializer):
        try draw(TensorName(place.name(of: name)), initializer)
      case .fillMatrices(let initializer):
        for tensor in module.namedParameters() where tensor.shape.count > 1 {
          try draw(TensorName(place.name(of: tensor.name.text)), initializer)
        }
      }
    }
  }

  private mutating func copy(below source: String, to target: String) {
    let prefix = TensorName(source + ".")
    for tensor in tensors where tensor.name.text.utf8.starts(with: prefix.text.utf8) {
      let rest = Substring(tensor.name.text.utf8.dropFirst(prefix.text.utf8.count))
      let name = TensorName("\(target).\(rest)")
      guard let from = originals[tensor.name], let to = originals[name] else { continue }
      values[to] = values[from]
    }
  }

  /// Fills one tensor anew, whatever name it is called by.
  mutating func draw(
    _ name: TensorName, _ initializer: any Initializer, isKept: Bool = true
  ) throws {
    guard let original = originals[name], let info = infos[original] else { return }
    let start = generator
    do {
      let fill = try initializer.fill(for: info)
      switch fill {
      case .constant(let value): _ = try info.dtype.element(nearest: value)
      case .ones: _ = try info.dtype.element(nearest: 1)
      case .drawn(let distribution, _):
        try Draw(distribution, dtype: info.dtype, count: info.elementCount).skip(&generator)
      case .whole(_, let make): _ = try make(info, &generator)
      case .nothing: if values[original] != nil { return }
      }
      guard isKept else { return }
      values[original] = TensorValues(
        info: info, initializer: initializer, fill: fill, start: start)
    } catch let error as CheckpointError {
      throw error.adding(tensor: name.text)
    }
  }

  /// The values that the tensor of this name has now; `nil` if none are known.
  public func values(of name: TensorName) -> TensorValues? {
    originals[name].flatMap { values[$0] }
  }

  /// The tensors of `state_dict()`, in its order, each with a reader that draws its values.
  ///
  /// A tensor that stands at several names has an alias under all but the first.
  /// - Throws: ``CheckpointError`` with code `missing` when a tensor's values are not known.
  public func entries() throws -> [Checkpoint.Entry] {
    let persistent = tensors.filter(\.isPersistent)
    let unknown = persistent.filter { values[$0.original] == nil }
    if let first = unknown.first {
      let names = unknown.prefix(5).map { "'\($0.name)'" }.joined(separator: ", ")
      throw CheckpointError(
        .missing,
        """
        \(unknown.count) tensors have no known first values: \(names)\
        \(unknown.count > 5 ? ", …" : ""); give them with a rule, or in the --extra file as \
        '\(first.name): \(first.shape) = zeros'
        """)
    }
    return try persistent.compactMap { tensor in
      try entry(of: tensor.name)
    }
  }

  /// One tensor as an entry of a checkpoint; `nil` if there is none or its values are not known.
  public func entry(of name: TensorName) throws -> Checkpoint.Entry? {
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
