import TensorCore

/// A node of a module tree: class, printed text, tensors, and named children in order.
///
/// A tree is plain data, like the text that PyTorch's `print(model)` shows: nothing is drawn when
/// it is built. Two nodes are two modules even when they look alike; ``shared()`` makes one module
/// that may be registered at several paths.
///
/// Source: PyTorch 2.15 `torch/nn/modules/module.py`, class `Module`.
public struct Module: Sendable {
  /// A named place for a child.
  public struct Child: Sendable {
    /// The attribute's name, without dots.
    public let name: String
    /// The child; `nil` for an attribute that was assigned `None`.
    public var module: Module?

    /// Names a child.
    public init(_ name: String, _ module: Module?) {
      self.name = name
      self.module = module
    }
  }

  /// Class name as printed.
  public let kind: String
  /// `extra_repr()`: what is printed between the parentheses, lines joined by `\n`.
  public let arguments: String
  /// What the class means; `nil` for a class that owns no tensors or is unknown.
  package let layer: (any Layer)?
  /// Own parameters in registration order: the layer's, then those that were added.
  package var ownParameters: [Parameter]
  /// Own buffers in registration order.
  package var ownBuffers: [Buffer]
  /// Children in registration order.
  package var ownChildren: [Child]
  /// Whether equal neighbors are printed as one run, `(0-11): 12 x Block(`.
  package var compressesRuns: Bool
  /// Present when the same module is registered at several paths.
  package var identity: Identity?
  /// The class that selectors treat this one as, if it is not a PyTorch class.
  package var base: String?
  /// Whether ``base`` was guessed from the shape of the printed text.
  package var isBaseGuessed = false
  /// The classes that have this module's tensors, for one whose class was inferred.
  package var possibleKinds: [String] = []
  /// What is done with the generator before anything of the module is built.
  package var preamble: [ConstructionStep] = []
  /// Rules that are applied to each module inside, right after it was built and before the next.
  package var constructionRules: [Rule] = []
  /// Whether the module stands here only because it was assigned after it was built elsewhere.
  package var isReference = false
  /// What the module is made from, instead of being constructed or after it.
  package var copied: Copied?
  /// The module that stood here during construction and was replaced after it; at most one.
  package var predecessors: [Module] = []
  /// Names of own tensors that the pasted text mentions and the tree does not show.
  package var mentioned: [String] = []
  /// What was taken for granted about tensors that the text does not show; `nil` if nothing.
  package var assumption: String?
  private var customConstruction: [ConstructionStep]?

  /// From where a module's values are copied, by its dotted path in the whole model.
  package enum Copied: Sendable {
    /// `copy.deepcopy`, at the module's place in the order: nothing is drawn.
    case deepCopy(of: String)
    /// After everything was constructed, this module too: `load_state_dict`.
    case values(of: String)
  }

  /// Makes a node of a class that owns no tensors of its own, or of a layer that does.
  public init(
    kind: String, arguments: String = "", layer: (any Layer)? = nil, children: [Child] = []
  ) {
    self.kind = kind
    self.arguments = arguments
    self.layer = layer
    self.ownParameters = layer?.parameters ?? []
    self.ownBuffers = layer?.buffers ?? []
    self.ownChildren = children
    self.compressesRuns = kind == "ModuleList"
  }

  /// The same module as an object that keeps its identity: every place it is put at holds that
  /// one module, as when a Python variable is used twice.
  public func shared() -> Module {
    var copy = self
    copy.identity = Identity()
    return copy
  }

  /// The same module with one more parameter, registered last.
  public func adding(_ parameter: Parameter) -> Module {
    var copy = self
    copy.ownParameters.append(parameter)
    return copy
  }

  /// The same module with one more buffer, registered last.
  public func adding(_ buffer: Buffer) -> Module {
    var copy = self
    copy.ownBuffers.append(buffer)
    return copy
  }

  /// The same module, built by `__init__` in this order instead of the printed one.
  public func constructed(by steps: [ConstructionStep]) -> Module {
    var copy = self
    copy.customConstruction = steps
    return copy
  }

  /// What the class's `__init__` does with the generator, in order: as
  /// ``constructed(by:)`` set it, else as the layer does, else own parameters and then each child.
  package var construction: [ConstructionStep] {
    let names = ownChildren.lazy.filter { $0.module != nil }.map(\.name)
    return customConstruction ?? layer?.construction(children: Array(names))
      ?? [.ownParameters] + names.map { .child($0) }
  }

  /// Whether ``constructed(by:)`` set the order of construction.
  var hasOwnOrder: Bool { customConstruction != nil }

  /// The module itself or the one below it at a dotted path; `nil` where there is none.
  public subscript(path: String) -> Module? {
    get {
      var found = self
      for part in Self.parts(path) {
        guard let next = found.ownChildren.first(where: { $0.name.isSameText(part) })?.module else {
          return nil
        }
        found = next
      }
      return found
    }
    set { replace(at: Self.parts(path)[...], with: newValue) }
  }

  private mutating func replace(at parts: ArraySlice<Substring>, with module: Module?) {
    guard let first = parts.first else {
      if let module { self = module }
      return
    }
    guard let index = ownChildren.firstIndex(where: { $0.name.isSameText(first) }) else { return }
    if parts.count == 1 {
      ownChildren[index].module = module
    } else {
      ownChildren[index].module?.replace(at: parts.dropFirst(), with: module)
    }
  }

  private static func parts(_ path: String) -> [Substring] {
    path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: !path.isEmpty)
      .compactMap { path.isEmpty ? nil : Substring($0) }
  }
}
