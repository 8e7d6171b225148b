internal import TensorCore

/// What the constructor of a library's class does that its printed text does not show.
///
/// A class is meant by its name and its children together: a user's `ResNet` with other children is
/// a container of that name.
package struct LibraryClass: Sendable {
  /// Tensors that are not printed: its own, or by a dotted name those of a module inside.
  struct Hidden: Sendable {
    var parameters: [Parameter] = []
    var buffers: [Buffer] = []
    /// Whether the parameters are made after the children.
    var isLast = false
    /// Those of modules inside, by the modules' paths.
    var inside: [String: Hidden] = [:]
  }

  /// Class name as printed.
  let kind: String
  /// Modules that it always has, by their paths below it.
  let children: [String]
  /// Modules that only another class of the same name has.
  let lacking: [String]
  /// What else of its structure tells it from other classes of the name.
  var isMeant: @Sendable (Module) -> Bool = { _ in true }
  /// Tensors of its own that are not printed, if its text is that of this class.
  var hidden: @Sendable (Module) -> Hidden = { _ in Hidden() }
  /// Classes inside whose tensors are all in ``hidden``, if they own any.
  var covers: Set<String> = []
  /// What it does to modules inside whose tensors are others than their text shows.
  var completing: (@Sendable (Module) -> Module)?
  /// What is near PyTorch's values and not equal, as a sentence.
  var remark: String?
  /// What was taken for granted about ``hidden``, as a phrase; `nil` if all of it is certain.
  var assumption: String?
  /// The order of construction; `nil` if it is the printed one, own parameters first.
  var construction: (@Sendable (Module) -> [ConstructionStep])?
  /// Modules that are objects built elsewhere: each path with the earlier one of the same object.
  var shares: @Sendable (Module) -> [(path: String, original: String)] = { _ in [] }
  /// Parameters that are tied after construction, each with the one whose values stay; those that
  /// the module lacks are passed by.
  var ties: @Sendable (Module) -> [(name: String, kept: String)] = { _ in [] }
  /// What is filled before the loop over its modules.
  var preparing: @Sendable (Module) -> [ConstructionStep] = { _ in [] }
  /// What a loop over its modules fills after building them: of each module the first that fits.
  var redraws: [Redraw] = []
  /// Whether that loop reaches a module after those inside it.
  var childrenFirst = false
  /// What a loop in the order of `apply`, children before their parent, does at each module of
  /// the second, after ``redraws``.
  var applied: (@Sendable (NamedModule, Module) -> [ConstructionStep])?
  /// Options that the loops depend on and no text shows, with the values that are assumed.
  var configuration: String?
  /// Whether the loop passes by what a known class inside has filled in its own constructor.
  var fillsOnce = false
  /// What is filled after that loop.
  var finishing: @Sendable (Module) -> [ConstructionStep] = { _ in [] }
  /// All that the constructor does, where it draws again before everything is built.
  var building: (@Sendable (Module) -> [ConstructionStep])?

  /// A class that is known by its name and these children.
  init(_ kind: String, _ children: String = "", lacking: String = "", redraws: [Redraw] = []) {
    self.kind = kind
    self.children = children.split(separator: " ").map(String.init)
    self.lacking = lacking.split(separator: " ").map(String.init)
    self.redraws = redraws
  }

  /// Whether a module of this name has the children.
  func fits(_ module: Module) -> Bool {
    children.allSatisfy { module[$0] != nil } && !lacking.contains { module[$0] != nil }
      && isMeant(module)
  }

  /// Whether a module of the class owns only what is printed, and its constructor draws nothing again.
  func isPlain(_ module: Module) -> Bool {
    let own = hidden(module)
    return own.parameters.isEmpty && own.buffers.isEmpty && own.inside.isEmpty && building == nil
      && redrawing(module).isEmpty
  }

  /// What its constructor fills after building the layers, in a tree whose modules at or below
  /// `done` were filled by constructors of their own.
  func redrawing(_ module: Module, done: Set<TensorName> = []) -> [ConstructionStep] {
    var steps: [ConstructionStep] = []
    let passed = Self.names(in: module, atOrBelow: done)
    if !redraws.isEmpty {
      for node in childrenFirst ? module.applyOrder() : module.namedModules()
      where !passed.contains(TensorName(node.path)) {
        let lineage = node.module.lineage
        guard
          let redraw = redraws.first(where: {
            !$0.classes.isDisjoint(with: lineage) && $0.place(node.path)
          })
        else { continue }
        for assignment in redraw.values(node.module) {
          let (path, name) = TensorName(assignment.parameter).parentAndLeaf
          guard let initializer = assignment.initializer,
            let own = node.module[path]?.ownParameters.first(where: { $0.name.isSameText(name) })
          else { continue }
          // What is tied afterward is drawn, and then another tensor takes its place.
          steps.append(
            own.isReplaced
              ? .discard(shape: own.shape.sizes, dtype: own.dtype, initializer)
              : .fill(node.name(of: assignment.parameter), initializer))
        }
      }
    }
    if let applied {
      for node in module.applyOrder() where !passed.contains(TensorName(node.path)) {
        steps += applied(node, module)
      }
    }
    return preparing(module) + steps + finishing(module)
  }

  /// The modules at or below some, in one pass.
  private static func names(
    in module: Module, atOrBelow done: Set<TensorName>
  ) -> Set<TensorName> {
    if done.isEmpty { return [] }
    var passed: Set<TensorName> = []
    var latest: TensorName?
    for node in module.namedModules() {
      let name = TensorName(node.path)
      // All that is inside a module follows it.
      if let latest, name.isInside(latest) {
        passed.insert(name)
      } else if done.contains(name) {
        latest = name
        passed.insert(name)
      }
    }
    return passed
  }
}

extension LibraryClass {
  /// What a loop over the module at a path, and those inside, fills.
  static func fills(_ redraws: [Redraw], in module: Module, at path: String) -> [ConstructionStep] {
    guard let inner = module[path] else { return [] }
    return LibraryClass("", redraws: redraws).redrawing(inner).map { step in
      step.renamed { "\(path).\($0)" }
    }
  }
}

/// What a constructor's loop does to modules of some classes, as `isinstance` tells them.
struct Redraw: Sendable {
  /// The classes in the order of the source.
  let listed: [String]
  /// New values, in the order of drawing; those of absent parameters are passed by, those of modules
  /// inside have dotted names.
  let values: @Sendable (Module) -> [Rule.Assignment]
  /// Whether a module at this path is meant.
  var place: @Sendable (String) -> Bool = { _ in true }

  var classes: Set<String> { Set(listed) }

  /// The same values for every module of these classes.
  init(_ classes: String..., weight: some Initializer, bias: (any Initializer)? = nil) {
    listed = classes
    values = { _ in [Rule.Assignment("weight", weight), Rule.Assignment("bias", bias)] }
  }

  /// Values that depend on the module.
  init(_ classes: String..., values: @escaping @Sendable (Module) -> [Rule.Assignment]) {
    listed = classes
    self.values = values
  }
}

extension Module {
  /// The module itself, its PyTorch class, and those that it derives from.
  var lineage: [String] { KnownLayers.lineage(of: base ?? kind) }

  /// Whether a side file says that the class owns no tensors: `class Name(Module)`.
  var isToldEmpty: Bool { base == "Module" }

  /// The child of a name.
  func child(_ name: String) -> Module? {
    ownChildren.first { $0.name.isSameText(name) }?.module
  }

  /// Product of the sizes of the module's own weight from an axis on; 1 where there is none.
  func weightSize(from axis: Int) -> Int {
    guard let weight = ownParameters.first(where: { $0.name == "weight" })?.shape,
      weight.count > axis
    else { return 1 }
    return weight.product(along: axis...)
  }

  /// Shape of the module's own weight; empty where there is none.
  var weightSizes: [Int] {
    ownParameters.first { $0.name == "weight" }?.shape.sizes ?? []
  }
}
