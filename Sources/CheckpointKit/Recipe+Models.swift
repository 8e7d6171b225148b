import ModuleTree
import TensorCore

/// The one module tree in which all of a recipe's steps take place.
extension Recipe {
  /// The model, or one that holds several; a module that is only a copy is in it as well.
  func combinedModel() throws -> Model? {
    let constructions = constructions
    if constructions.isEmpty { return nil }
    if constructions.count == 1, constructions[0].prefix.isEmpty, !hasGifts {
      return constructions[0].model
    }
    return Model(try tree())
  }

  private var hasGifts: Bool {
    steps.contains { if case .give = $0 { true } else { false } }
  }

  /// The tree when every step was taken.
  func tree() throws -> Module {
    let constructions = constructions
    let roots = constructions.filter(\.prefix.isEmpty)
    guard let first = constructions.first else {
      throw CheckpointError(
        .missing, "the recipe has no model; give one with 'model: FILE' or --model")
    }
    guard roots.count < 2 else {
      throw CheckpointError(
        .malformed, "the recipe constructs several models; place them: 'construct FILE as NAME'")
    }
    var tree = roots.first.map { Self.module(of: $0) } ?? Module(kind: "Module")
    if constructions.count == 1, first.prefix.isEmpty, !hasGifts { return tree }
    // The root's own construction must not reach what is placed in it.
    tree = tree.constructed(by: tree.construction)
    for construction in constructions where !construction.prefix.isEmpty {
      guard tree[construction.prefix] == nil else {
        throw CheckpointError(
          .malformed, "the recipe constructs '\(construction.prefix)' twice")
      }
      tree = tree.placing(Self.module(of: construction), at: construction.prefix)
    }
    for case .give(let source, let target) in steps where tree[target] == nil {
      guard let module = tree[source], !source.isEmpty else { continue }
      tree = tree.placing(module.deepCopied(), at: target)
    }
    return tree
  }

  /// The module with its rules at construction; two constructions of one model share nothing.
  private static func module(of construction: Construction) -> Module {
    var module = construction.model.module
    if !construction.prefix.isEmpty { module = module.deepCopied() }
    module.constructionRules += construction.rules
    return module
  }
}

extension Module {
  /// The same tree with a module at a path, inside new containers where there are none.
  fileprivate func placing(_ module: Module, at path: String) -> Module {
    var parts = path.utf8.split(separator: UInt8(ascii: ".")).map { String(Substring($0)) }
    guard !parts.isEmpty else { return self }
    let name = parts.removeFirst()
    var copy = self
    let rest = parts.joined(separator: ".")
    if let index = copy.ownChildren.firstIndex(where: { $0.name.isSameText(name) }) {
      copy.ownChildren[index].module =
        rest.isEmpty ? module : copy.ownChildren[index].module?.placing(module, at: rest)
    } else {
      copy.ownChildren.append(
        Child(name, rest.isEmpty ? module : Module(kind: "Module").placing(module, at: rest)))
    }
    return copy
  }
}
