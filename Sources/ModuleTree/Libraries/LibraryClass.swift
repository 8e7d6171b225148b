internal import TensorCore

/// What the constructor of a library's class does that its printed text does not show.
///
/// A class is meant by its name and its children together: a user's `ResNet` with other children is
/// a container of that name.
package struct LibraryClass: Sendable {
  /// Tensors of its own that are not printed.
  struct Hidden: Sendable {
    var parameters: [Parameter] = []
    var buffers: [Buffer] = []
  }

  /// Class name as printed.
  let kind: String
  /// Children that it always has.
  let children: [String]
  /// Children that only another class of the same name has.
  let lacking: [String]
  /// Tensors of its own that are not printed, if its text is that of this class.
  var hidden: @Sendable (Module) -> Hidden = { _ in Hidden() }
  /// What was taken for granted about ``hidden``, as a phrase; `nil` if all of it is certain.
  var assumption: String?
  /// The order of construction; `nil` if it is the printed one, own parameters first.
  var construction: (@Sendable (Module) -> [ConstructionStep])?
  /// What a loop over its modules fills after building them: of each module the first that fits.
  var redraws: [Redraw] = []
  /// What is filled after that loop.
  var finishing: @Sendable (Module) -> [ConstructionStep] = { _ in [] }

  /// A class that is known by its name and these children.
  init(_ kind: String, _ children: String = "", lacking: String = "", redraws: [Redraw] = []) {
    self.kind = kind
    self.children = children.split(separator: " ").map(String.init)
    self.lacking = lacking.split(separator: " ").map(String.init)
    self.redraws = redraws
  }

  /// Whether a module of this name has the children.
  func fits(_ module: Module) -> Bool {
    children.allSatisfy { module.child($0) != nil } && !lacking.contains { module.child($0) != nil }
  }

  /// What its constructor fills after building the layers.
  func redrawing(_ module: Module) -> [ConstructionStep] {
    var steps: [ConstructionStep] = []
    if !redraws.isEmpty {
      for node in module.namedModules() {
        let lineage = node.module.lineage
        guard let redraw = redraws.first(where: { !$0.classes.isDisjoint(with: lineage) }) else {
          continue
        }
        let own = node.module.ownParameters.map(\.name)
        for assignment in redraw.values(node.module) where own.contains(assignment.parameter) {
          guard let initializer = assignment.initializer else { continue }
          steps.append(.fill(node.name(of: assignment.parameter), initializer))
        }
      }
    }
    return steps + finishing(module)
  }
}

/// What a constructor's loop does to modules of some classes, as `isinstance` tells them.
struct Redraw: Sendable {
  /// The classes in the order of the source.
  let listed: [String]
  /// New values, in the order of drawing; those of absent parameters are passed by.
  let values: @Sendable (Module) -> [Rule.Assignment]

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
