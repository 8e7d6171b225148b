import TensorCore

/// A module at its place in a tree.
public struct NamedModule: Sendable {
  /// Dotted path; empty for the root.
  public let path: String
  /// The module at the path.
  public let module: Module
  /// The path at which this module is met first in pre-order; differs from ``path`` only at the
  /// further places of a shared module and below them.
  package let original: String

  /// The dotted name of something that the module owns.
  package func name(of own: String) -> String { TensorName.text(of: own, in: path) }
}

extension Module {
  /// Every module below and including this one, self first, each once, as `modules()`.
  package func modules() -> [Module] { namedModules().map(\.module) }

  /// Every module with its path, in pre-order, as `named_modules(remove_duplicate=…)`.
  public func namedModules(removeDuplicates: Bool = true) -> [NamedModule] {
    var firstPaths = FirstPaths()
    var result: [NamedModule] = []
    var pending = [NamedModule(path: "", module: self, original: "")]
    while let next = pending.popLast() {
      let (original, isFirst) = firstPaths.original(of: next)
      if removeDuplicates && !isFirst { continue }
      result.append(NamedModule(path: next.path, module: next.module, original: original))
      for child in next.module.ownChildren.reversed() {
        guard let module = child.module else { continue }
        pending.append(
          NamedModule(
            path: next.name(of: child.name), module: module,
            original: original.isEmpty ? child.name : "\(original).\(child.name)"))
      }
    }
    return result
  }

  /// Own children, each once, as `children()`.
  package func children() -> [Module] { namedChildren().map(\.module) }

  /// Own children with their names, each once, as `named_children()`.
  package func namedChildren() -> [(name: String, module: Module)] {
    var seen: Set<ObjectIdentifier> = []
    return ownChildren.compactMap { child in
      guard let module = child.module else { return nil }
      if let identity = module.identity, !seen.insert(ObjectIdentifier(identity)).inserted {
        return nil
      }
      return (child.name, module)
    }
  }

  /// The order in which `apply(fn)` calls its function: children before their parent.
  ///
  /// Duplicates are left out among one parent's children only, so a module that two parents share
  /// comes twice; each comes under the path where it is met first.
  package func applyOrder() -> [NamedModule] {
    var firstPaths = FirstPaths()
    var result: [NamedModule] = []
    enum Visit { case enter(NamedModule), leave(NamedModule) }
    var pending = [Visit.enter(NamedModule(path: "", module: self, original: ""))]
    while let visit = pending.popLast() {
      switch visit {
      case .leave(let node): result.append(node)
      case .enter(let node):
        let original = firstPaths.original(of: node).path
        let here = NamedModule(path: original, module: node.module, original: original)
        pending.append(.leave(here))
        for child in node.module.namedChildren().reversed() {
          let path = here.name(of: child.name)
          pending.append(.enter(NamedModule(path: path, module: child.module, original: path)))
        }
      }
    }
    return result
  }
}

/// Where each shared object was met first.
private struct FirstPaths {
  private var first: [ObjectIdentifier: String] = [:]

  mutating func original(of node: NamedModule) -> (path: String, isFirst: Bool) {
    guard let identity = node.module.identity else { return (node.original, true) }
    if let path = first[ObjectIdentifier(identity)] { return (path, false) }
    first[ObjectIdentifier(identity)] = node.original
    return (node.original, true)
  }
}
