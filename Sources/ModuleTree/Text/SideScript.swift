import TensorCore

/// The statements of a side file on what a script does around construction.
struct SideScript {
  private struct Statement {
    enum Kind {
      case skip(Skip)
      case rule(Rule)
      case was(String, Module)
      case values(of: String, in: String)
      case deepCopy(of: String, in: String)
    }

    let kind: Kind
    let line: Int
  }

  private var statements: [Statement] = []

  /// Reads a line if it is such a statement.
  mutating func read(_ text: String, line: Int) throws -> Bool {
    do {
      guard let kind = try Self.kind(text) else { return false }
      statements.append(Statement(kind: kind, line: line))
      return true
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "line \(line): \(error.message)")
    }
  }

  private static func kind(_ text: String) throws -> Statement.Kind? {
    if let match = text.wholeMatch(of: /(?:skip|advance)\s*:\s*(.*)/) {
      return .skip(try Skip(String(match.output.1)))
    }
    if let match = text.wholeMatch(of: /at construction\s*:\s*(.*)/) {
      return .rule(try Rule(String(match.output.1)))
    }
    if let match = text.wholeMatch(of: /was\s+([^\s:]+)\s*:\s*(.*)/) {
      return .was(String(match.output.1), try LayerText.module(String(match.output.2)))
    }
    if let copy = CopyText(text) { return .values(of: copy.source, in: copy.target) }
    if let match = text.wholeMatch(of: /([^\s=:]+)\s*=\s*(?:copy\.)?deepcopy\(\s*([^\s=:()]+)\s*\)/)
    {
      return .deepCopy(of: String(match.output.2), in: String(match.output.1))
    }
    return nil
  }

  /// The tree with all statements applied.
  func applied(to module: Module) throws -> Module {
    var module = module
    for statement in statements {
      do {
        switch statement.kind {
        case .skip(let skip): module.preamble += skip.steps
        case .rule(let rule):
          _ = try module.resolved([rule])
          module.constructionRules.append(rule)
        case .was(let path, let old):
          guard module[path] != nil, !path.isEmpty else { throw Self.missing(path) }
          module[path]?.predecessors = [old]
        case .values(let source, let target):
          module = try Self.copying(from: source, to: target, in: module, .values(of: source))
        case .deepCopy(let source, let target):
          module = try Self.copying(from: source, to: target, in: module, .deepCopy(of: source))
        }
      } catch let error as CheckpointError {
        throw CheckpointError(error.code, "line \(statement.line): \(error.message)")
      }
    }
    return module
  }

  private static func copying(
    from source: String, to target: String, in module: Module, _ way: Module.Copied
  ) throws -> Module {
    var module = module
    if let copy = try PartCopy(from: source, to: target) {
      return try copyingPart(copy, in: module)
    }
    guard let from = module[source], !source.isEmpty else {
      return try copyingTensor(from: source, to: target, in: module, way)
    }
    guard let to = module[target], !target.isEmpty else { throw missing(target) }
    let shapes = { (module: Module) in module.stateDict().map { "\($0.name) \($0.shape)" } }
    guard shapes(from) == shapes(to) else {
      throw CheckpointError(
        .mismatched, "'\(target)' cannot be a copy of '\(source)': their tensors differ")
    }
    module[target]?.copied = way
    return module
  }

  /// Copies a single tensor when everything was constructed.
  private static func copyingTensor(
    from source: String, to target: String, in module: Module, _ way: Module.Copied
  ) throws -> Module {
    let tensors = Dictionary(
      keepingFirst: module.namedTensors(removeDuplicates: false).map { ($0.name, $0.shape) })
    guard let from = tensors[TensorName(source)] else { throw missing(source) }
    guard let to = tensors[TensorName(target)] else { throw missing(target) }
    guard from == to else {
      throw CheckpointError(
        .mismatched, "expected shape \(from), that of '\(source)', for '\(target)', found \(to)")
    }
    guard case .values = way else {
      throw CheckpointError(.unsupported, "deepcopy takes modules; write '\(target) <- \(source)'")
    }
    return module.constructed(by: module.construction + [.copy(of: source, to: target)])
  }

  /// Copies a part of a tensor, or into one, when everything was constructed.
  private static func copyingPart(_ copy: PartCopy, in module: Module) throws -> Module {
    let tensors = module.namedTensors(removeDuplicates: false)
    let step = try copy.step { name in
      guard let tensor = tensors.first(where: { $0.name == TensorName(name) }) else { return nil }
      guard tensor.initializer != nil else {
        throw CheckpointError(
          .missing, "its initial values are unknown, so no part of it can be copied", tensor: name)
      }
      return try TensorInfo(dtype: tensor.dtype(inModelOf: .float32), shape: tensor.shape)
    }
    return module.constructed(by: module.construction + [step])
  }

  private static func missing(_ path: String) -> CheckpointError {
    CheckpointError(.missing, "the model has no module '\(path)'")
  }
}
