package import TensorCore

/// A selector that has been settled against one tree: each bare word is a class or a name.
package struct ResolvedSelector {
  private indirect enum Node {
    case kind(Glob, containers: Containers)
    case name(Glob)
    case expression(RegularExpression)
    case not(Node)
    case and(Node, Node)
    case or(Node, Node)
  }

  private let root: Node
  private let bases: [String: String]
  private let stored: StoredNames

  /// Settles what each word of `selector` means in `tree`, and among further `names`.
  ///
  /// A word with a dot, or `*`, `**`, is a name; any other is a class if a class of the tree matches
  /// and no name does, a name if it is the other way round.
  /// - Throws: ``TensorCore/CheckpointError``: `malformed` for a word that matches both, or an expression that
  ///   cannot be read; `missing` for a word that matches neither.
  package init(_ selector: Selector, in tree: Module, names: [TensorName] = []) throws {
    try self.init(
      selector, modules: tree.namedModules(removeDuplicates: false), names: names)
  }

  init(_ selector: Selector, modules: [NamedModule], names: [TensorName] = []) throws {
    var bases: [String: String] = [:]
    for node in modules {
      if let base = node.module.base { bases[node.module.kind] = base }
    }
    self.bases = bases
    stored = StoredNames(modules)
    let resolution = Resolution(
      modules: modules, bases: bases, names: names, stored: Array(stored.places.keys))
    root = try resolution.node(selector.root)
  }

  /// Whether the module at `path` of class `kind` matches, or, with `parameter`, that own tensor.
  ///
  /// What is inside a container that matches does so itself, unless `isDirect` asks for more.
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` for an expression that takes too many steps.
  package func matches(
    path: String, kind: String, parameter: String? = nil, isDirect: Bool = false
  ) throws -> Bool {
    let lineage = Self.lineage(of: kind, bases)
    let full = parameter.map { path.isEmpty ? $0 : "\(path).\($0)" } ?? path
    let inFile = parameter == nil ? nil : stored.name(of: full)
    func matches(_ node: Node) throws -> Bool {
      switch node {
      case .kind(let glob, let containers):
        lineage.contains { glob.matches($0) } || !isDirect && containers.hold(path)
      case .name(let glob):
        isDirect
          ? glob.matches(full)
          : glob.matchesInside(full) || inFile.map(glob.matchesInside(stored:)) ?? false
      case .expression(let expression):
        try [path, full, inFile?.text ?? ""].contains { name in
          try !name.isEmpty && expression.isFound(in: name)
        }
      case .not(let inner): try !matches(inner)
      case .and(let left, let right): try matches(left) && matches(right)
      case .or(let left, let right): try matches(left) || matches(right)
      }
    }
    return try matches(root)
  }

  /// Paths of modules that stand for what is inside them.
  private struct Containers {
    private let paths: Set<TensorName>
    private let longest: Int

    init(_ paths: [String]) {
      self.paths = Set(paths.map { TensorName($0) })
      longest = paths.map(\.utf8.count).max() ?? -1
    }

    /// Whether a path is one of them or leads into one.
    func hold(_ path: String) -> Bool {
      if paths.isEmpty { return false }
      if paths.contains("") || paths.contains(TensorName(path)) { return true }
      return path.utf8.prefix(longest + 1).indices.contains { index in
        path.utf8[index] == UInt8(ascii: ".") && paths.contains(TensorName(String(path[..<index])))
      }
    }
  }

  private static func lineage(of kind: String, _ bases: [String: String]) -> [String] {
    [kind] + KnownLayers.lineage(of: bases[kind] ?? kind)
  }

  private struct Resolution {
    let modules: [NamedModule]
    let bases: [String: String]
    let names: [TensorName]
    let stored: [TensorName]

    func node(_ node: Selector.Node) throws -> Node {
      switch node {
      case .word(let text): try word(text)
      case .kind(let text): kind(Glob(text))
      case .name(let text): .name(Glob(text))
      case .expression(let expression): .expression(expression)
      case .not(let inner): .not(try self.node(inner))
      case .and(let left, let right): .and(try self.node(left), try self.node(right))
      case .or(let left, let right): .or(try self.node(left), try self.node(right))
      }
    }

    private func matches(_ glob: Glob, _ node: NamedModule) -> Bool {
      ResolvedSelector.lineage(of: node.module.kind, bases).contains { glob.matches($0) }
    }

    /// A class; one whose modules have no tensors of their own stands for what is inside them.
    private func kind(_ glob: Glob) -> Node {
      let matching = modules.filter { matches(glob, $0) }
      let isContainer = matching.allSatisfy(\.tensors.isEmpty)
      return .kind(
        glob, containers: Containers(isContainer ? matching.map(\.path) : []))
    }

    private func word(_ text: String) throws -> Node {
      let glob = Glob(text)
      // As a class and as a name `*` matches, which would be ambiguous in every tree.
      if text == "*" || text == "**" || text.utf8.contains(UInt8(ascii: ".")) {
        return .name(glob)
      }
      let isKind = modules.contains { matches(glob, $0) }
      let isName =
        modules.contains { node in
          glob.matchesInside(node.path)
            || node.tensors.contains { glob.matchesInside(node.name(of: $0.name)) }
        } || names.contains { glob.matchesInside($0.text) }
        || stored.contains(where: glob.matchesInside(stored:))
      switch (isKind, isName) {
      case (true, false): return kind(glob)
      case (false, true): return .name(glob)
      case (true, true):
        throw CheckpointError(
          .malformed,
          "selector '\(text)' matches both a class and a name; write kind:\(text) or name:\(text)")
      case (false, false):
        throw CheckpointError(
          .missing, "selector '\(text)' matches no class or name" + advice(text))
      }
    }

    private func advice(_ text: String) -> String {
      let kinds = Set(modules.map(\.module.kind))
      let names =
        self.names
        + modules.flatMap { node in
          node.tensors.map { TensorName(node.name(of: $0.name)) }
        }
      let near = nearestNames(to: text, among: names)
      // A name of which the word is the end, else a class like it, else a name like it.
      let isEnd = near.contains { $0.hasSuffix(".\(text)") }
      if !isEnd, let nearest = nearestName(to: text, among: kinds.sorted()) {
        return "; did you mean \(nearest)?"
      }
      if !near.isEmpty { return near.question }
      let known = kinds.sorted().prefix(12).joined(separator: ", ")
      return "; the classes are \(known)\(kinds.count > 12 ? ", …" : "")"
    }
  }
}
