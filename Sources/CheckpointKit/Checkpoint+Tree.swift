public import ModuleTree
public import TensorCore

/// The module tree of a checkpoint: stored, given, or inferred.
extension Checkpoint {
  /// A module tree for a checkpoint's tensors, and where it comes from.
  public struct Tree: Sendable {
    /// The tree, which contains every tensor of the checkpoint.
    public var module: Module
    /// What a user should know, for a tree that was inferred; empty for one that the file carries.
    public var notes: [String] = []
    /// Whether the classes are guesses from names and shapes, which are never stored.
    public var isInferred: Bool { choices != nil || isGuessed }
    /// Names of tensors in the tree, by those in the file, where the two differ.
    package fileprivate(set) var names: [TensorName: TensorName] = [:]
    fileprivate var isGuessed = false
    /// What an inferred tree leaves open; `nil` for a tree that was given.
    public fileprivate(set) var choices: OpenChoices?
    /// The tree without the ties of the file, which the file itself has.
    fileprivate var untied: Module?
    /// The model that the tree was read from, where there was one.
    private var source: Model?

    init(_ module: Module, from source: Model? = nil, notes: [String] = []) {
      self.module = module
      self.source = source
      self.notes = notes
    }

    /// A model whose text parses to this tree: the one it was read from, else what PyTorch prints,
    /// or a description where that shows too little (bare parameters, names with a line feed).
    public func model() throws -> Model { try model(of: untied ?? module) }

    /// A model with the ties of the file, for a file that is taken as one.
    func tiedModel() throws -> Model { try model(of: module) }

    private func model(of module: Module) throws -> Model {
      let tensors = module.stateDict()
      for model in [source, try? Model(text: module.description)] {
        guard let model, model.module.labels == module.labels,
          model.module.stateDict().elementsEqual(tensors, by: Self.isSame)
        else { continue }
        return model
      }
      return try Model(text: module.json())
    }

    private static func isSame(_ one: NamedTensor, _ other: NamedTensor) -> Bool {
      one.name == other.name && one.original == other.original && one.shape == other.shape
        && (one.initializer == nil) == (other.initializer == nil)
    }
  }

  /// The tree that the file carries, else one inferred from names and shapes.
  ///
  /// Tensors that a printed text does not show (bare parameters) are added where their names say.
  /// Tensors that are tied in the file are one in the tree.
  /// A `model` that the user gave is taken instead. Where the names of the file and of the tree
  /// differ by a prefix, the tree is put inside a module of that name, or taken out of it.
  /// - Throws: `CheckpointError` when the carried tree cannot be read.
  public func tree(model: Model? = nil) throws -> Tree {
    var tree: Tree
    let keras = try KerasTree(self)
    if let model {
      tree = Tree(model.module, from: model)
    } else if let model = try recipe()?.model {
      tree = Tree(model.module, from: model)
    } else if !modules.isEmpty {
      let module = try Module(labels: modules, of: entries.map { ($0.name, $0.info) })
        .sharing(sharedModules)
      tree = Tree(module, notes: module.guesses)
    } else if let keras {
      tree = Tree(keras.module, notes: keras.notes)
      tree.isGuessed = keras.isInferred
    } else {
      let inferred = try InferredModel(self)
      let state = hasPickledModules ? "its module tree is not read" : "has no module tree"
      tree = Tree(inferred.tree, notes: [([state] + inferred.notes).joined(separator: "; ")])
      tree.choices = OpenChoices(inferred, tree: inferred.tree, ties: tiedNames)
    }
    if let keras { tree.names = tree.namesInTree(keras.names) }
    let named = renamed(tree.names)
    try tree.fit(named)
    let known = Set(tree.module.stateDict().map(\.name))
    var added: [TensorName: [Parameter]] = [:]
    for entry in named.entries where !known.contains(entry.name) {
      let (path, leaf) = entry.name.parentAndLeaf
      added[TensorName(path), default: []].append(
        Parameter(leaf, shape: entry.info.shape.sizes, dtype: entry.info.dtype))
    }
    if !added.isEmpty { tree.module = tree.module.adding(added) }
    tree.module = tree.module.storing(tree.storedNames)
    tree.untied = tree.module
    tree.module = tree.module.tying(named.tiedNames)
    return tree
  }

  /// The tensors that are tied to another of the same shape, with that one.
  var tiedNames: [TensorName: TensorName] {
    var firsts: [TensorName: (name: TensorName, shape: Shape)] = [:]
    var tied: [TensorName: TensorName] = [:]
    for entry in entries {
      let first = entry.alias.flatMap { firsts[$0] }
      if let first, first.shape == entry.info.shape {
        tied[entry.name] = first.name
        firsts[entry.name] = first
      } else {
        firsts[entry.name] = (entry.name, entry.info.shape)
      }
    }
    return tied
  }
}

extension Checkpoint.Tree {
  /// The names in the file, by those in the tree.
  package var storedNames: [TensorName: TensorName] {
    Dictionary(keepingFirst: names.map { ($1, $0) })
  }

  /// Of new names for a file's tensors, those that the tree has instead of the file's.
  fileprivate func namesInTree(
    _ new: [TensorName: TensorName]
  ) -> [TensorName: TensorName] {
    if new.isEmpty { return [:] }
    let own = Set(module.stateDict().map(\.name))
    return new.filter { own.contains($0.value) && !own.contains($0.key) && $0.key != $0.value }
  }

  /// Puts the tree where the names of a checkpoint say, if a prefix tells the two apart.
  fileprivate mutating func fit(_ checkpoint: Checkpoint) throws {
    let tensors = module.stateDict().map { ($0.name, $0.shape) }
    let pairing = try NamePairing(checkpoint.named, tensors)
    if pairing.partners.isEmpty { return }
    if !pairing.secondPrefix.isEmpty {
      guard let inside = module[String(pairing.secondPrefix.dropLast())] else { return }
      module = inside
    }
    for name in pairing.firstPrefix.components.reversed() {
      module = Module(kind: "Module", children: [.init(name, module)])
    }
    source = nil
    notes.append(pairing.note(of: "the model"))
  }
}

extension String {
  /// The parts of a prefix that ends in a dot.
  fileprivate var components: [String] {
    utf8.split(separator: UInt8(ascii: ".")).map { String(Substring($0)) }
  }
}

extension NamePairing {
  /// A sentence on the prefixes, about the first list: `names begin with 'module.', …`.
  package func note(of other: String) -> String {
    switch (firstPrefix.isEmpty, secondPrefix.isEmpty) {
    case (false, true):
      "names begin with '\(firstPrefix)', those of \(other) do not: paired without it"
    case (true, false):
      "names lack '\(secondPrefix)', with which those of \(other) begin: paired all the same"
    default:
      "names begin with '\(firstPrefix)', those of \(other) with '\(secondPrefix)': paired all the same"
    }
  }

  /// Whether a prefix was found.
  package var hasPrefix: Bool { !firstPrefix.isEmpty || !secondPrefix.isEmpty }
}
