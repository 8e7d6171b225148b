import TensorCore

/// What printed text cannot show of a model, one statement per line; `#` begins a comment.
///
///     cls: [1, 1, 16] = normal(std=0.02)   a bare parameter, with its initializer if known
///     blocks.*.gamma: [16] bfloat16 = 0.1  the same in several modules, of another type
///     head.weight = wte.weight             two names of one tensor
///     decoder.embed = encoder.embed        two names of one module
///     attn: kdim=4, vdim=6, add_bias_kv=True
///     act: init=0.1                        options that are not printed
///     fc: weight_norm=weight               the hook of torch.nn.utils, or spectral_norm=weight
///     conv: weight_norm=weight, dim=2      its dim, None for one norm; also of a parametrization
///     class StdConv2d(Conv2d)              a class that prints and initializes as another does
///     class LayerScale(Module)             a class that owns no tensors of its own
///     order: z, p, e                       the order of construction, where not the printed one; own
///                                          parameters are named as well, or else come first
///     order enc: down.0, up.0              the same within a module, deeper paths if wanted
///     skip: randn(1000)                    draws before anything is built, see ``Skip``
///     at construction: Linear: bias=0      a rule for each module, before the next is built
///     was fc: Linear(512, 1000)            the layer that a later one replaced
///     target <- online                     values copied after construction: load_state_dict
///     b.bias <- a.bias[0:5]                the same of a part of a tensor, or into one
///     target = deepcopy(online)            a copy that is never drawn
public struct SideFile: Sendable {
  struct Tensor {
    let module: String
    let parameter: Parameter
    let line: Int
  }
  private struct Tie {
    let name: TensorName
    let other: TensorName
  }
  private struct Option {
    let path: String
    let arguments: PrintedArguments
    let line: Int
  }

  private struct Construction {
    let path: String
    let names: [String]
    let line: Int
  }

  private var tensors: [Tensor] = []
  private var script = SideScript()
  private var constructions: [Construction] = []
  private var ties: [Tie] = []
  private var options: [Option] = []
  private var classes: [String: String] = [:]
  private let path: String?

  /// Nothing beyond the text.
  public init() { path = nil }

  /// Reads the lines of an `--extra` file; `path` is its name, for errors.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, naming the line.
  public init(_ text: String, path: String? = nil) throws {
    self.path = path
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let body = line.prefix { $0 != UInt8(ascii: "#") }
      try CheckpointError.placing(path: path) {
        try read(String(decoding: body, as: UTF8.self).trimmed, line: index + 1)
      }
    }
  }

  /// Maximum length of what follows a name, in bytes: expressions take quadratic time.
  private static let maxTensorLength = 4096

  /// The two names in `Name(Base)`, with or without a colon after them.
  private static func names(inClass text: Substring) -> (name: String, base: String)? {
    var text = String(text).trimmed[...]
    if text.hasSuffix(":") { text = String(text.dropLast()).trimmed[...] }
    guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return nil }
    let name = String(text[..<open]).trimmed
    let base = String(text[text.index(after: open)...].dropLast()).trimmed
    let isWhole = [name, base].allSatisfy { part in
      !part.isEmpty && !part.unicodeScalars.contains { $0.properties.isWhitespace || $0 == "(" }
    }
    return isWhole ? (name, base) : nil
  }

  private mutating func read(_ text: String, line: Int) throws {
    if text.isEmpty { return }
    func error(_ expected: String) -> CheckpointError {
      let found = text.count > 200 ? text.prefix(200) + "…" : text[...]
      return CheckpointError(.malformed, "line \(line): expected \(expected), found '\(found)'")
    }
    if text.hasPrefix("class ") {
      guard let (name, base) = Self.names(inClass: text.dropFirst("class ".count)),
        base == "Module" || KnownLayers.knows(base)
      else { throw error("'class Name(Base)' with a class of torch.nn as base") }
      classes[name] = base
      return
    }
    if try script.read(text, line: line) { return }
    if let match = text.wholeMatch(of: /(?:construct|order)(\s+[^\s:]+)?\s*:([^=]*)/) {
      let names = match.output.2.split(separator: ",").map { String($0).trimmed }
      let path = String(match.output.1 ?? "").trimmed
      constructions.append(Construction(path: path, names: names, line: line))
      return
    }
    let colon = text.firstIndex(of: ":")
    let equals = text.firstIndex(of: "=")
    guard let colon, equals.map({ colon < $0 }) ?? true else {
      guard let equals else { throw error("'name: [sizes]', 'name = name' or 'path: option=…'") }
      let other = String(text[text.index(after: equals)...]).trimmed
      let name = String(text[..<equals]).trimmed
      guard !name.isEmpty, !other.isEmpty else { throw error("a name on both sides of '='") }
      ties.append(Tie(name: TensorName(name), other: TensorName(other)))
      return
    }
    let name = String(text[..<colon]).trimmed
    let value = String(text[text.index(after: colon)...]).trimmed
    guard value.utf8.count <= Self.maxTensorLength else {
      throw error("at most \(Self.maxTensorLength) bytes")
    }
    guard value.hasPrefix("[") || value.hasPrefix("(") else {
      options.append(Option(path: name, arguments: PrintedArguments(value), line: line))
      return
    }
    guard let match = value.wholeMatch(of: /[\[\(]([0-9,\s]*)[\]\)]\s*([A-Za-z_0-9]+)?\s*(=(.*))?/)
    else { throw error("'name: [sizes] dtype = initializer', the last two as wanted") }
    let (module, leaf) = TensorName(name).parentAndLeaf
    var shape: [Int] = []
    for part in match.output.1.split(separator: ",") {
      guard let size = Int(String(part).trimmed), shape.count < 64 else {
        throw error("sizes that are whole numbers")
      }
      shape.append(size)
    }
    let dtype = match.output.2.flatMap { DType(named: String($0)) }
    if match.output.2 != nil && dtype == nil { throw error("a dtype as float32 or int64") }
    _ = try TensorInfo(dtype: dtype ?? .float64, shape: shape)
    guard !leaf.isEmpty else { throw error("a tensor's name before ':'") }
    let parameter: Parameter
    if let initializer = match.output.4 {
      do {
        let parsed = try InitializerText.parse(String(initializer).trimmed)
        parameter = Parameter(leaf, shape: shape, dtype: dtype, initializer: parsed)
      } catch {
        throw CheckpointError(error.code, "line \(line): \(error.message)")
      }
    } else {
      parameter = Parameter(leaf, shape: shape, dtype: dtype)
    }
    tensors.append(Tensor(module: module, parameter: parameter, line: line))
  }

  /// The class that a class resembles according to the file.
  func base(of kind: String) -> String? { classes[kind] }

  /// Whether tensors are given for the module at a path.
  func describes(_ path: String) -> Bool {
    tensors.contains { Self.fits($0.module, path) }
  }

  private static func fits(_ pattern: String, _ path: String) -> Bool {
    NamePattern.isPattern(pattern)
      ? NamePattern(pattern).matches(path) : pattern.isSameText(path)
  }

  /// The tree with all statements applied.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when a module or tensor is not
  ///   there.
  func applied(to module: Module) throws -> Module {
    try CheckpointError.placing(path: path) { try changed(module) }
  }

  private func changed(_ module: Module) throws -> Module {
    try checkWork(on: module)
    var module = module
    let paths = module.namedModules(removeDuplicates: false).map(\.path)
    for option in options {
      let matching = paths.filter { Self.fits(option.path, $0) }
      let (parent, leaf) = TensorName(option.path).parentAndLeaf
      if matching.isEmpty, leaf == "order", module[parent] != nil {
        throw CheckpointError(
          .malformed,
          "line \(option.line): write the order within '\(parent)' as 'order \(parent): "
            + "\(option.arguments.text)'")
      }
      if matching.isEmpty { throw missing(option.path, option.line) }
      for path in matching { try module.apply(option.arguments, at: path, line: option.line) }
    }
    for tensor in tensors {
      let matching = paths.filter { Self.fits(tensor.module, $0) }
      if matching.isEmpty { throw missing(tensor.module, tensor.line) }
      for path in matching {
        guard let found = module[path] else { continue }
        module[path] = try tensor.put(into: found)
      }
    }
    for construction in constructions {
      guard var found = module[construction.path] else {
        throw missing(construction.path, construction.line)
      }
      for name in construction.names
      where name.isEmpty || found[name] == nil && !found.owns(parameter: name) {
        throw missing(
          construction.path.isEmpty ? name : "\(construction.path).\(name)", construction.line)
      }
      // Children that the statement leaves out are constructed last, in printed order; own
      // parameters that it leaves out first.
      let begun = Set(construction.names.map { $0.prefix { $0 != "." } })
      let rest = found.ownChildren.filter { !begun.contains(Substring($0.name)) }.map(\.name)
      let own = found.ownParameters.filter { parameter in
        !construction.names.contains { $0.isSameText(parameter.name) }
      }
      found = found.constructed(
        by: (own.map(\.name) + construction.names + rest).map { .child($0) })
      module[construction.path] = found
    }
    for tie in ties {
      module =
        if module[tie.name.text] != nil, module[tie.other.text] != nil {
          try module.sharing(tie.name.text, with: tie.other.text)
        } else {
          try module.tying(tie.name, to: tie.other)
        }
    }
    return try script.applied(to: module)
  }

  /// Each statement looks through all modules or all tensors.
  private func checkWork(on module: Module) throws(CheckpointError) {
    let limit = Budget.current.maxVisits
    let statements = [options.count, tensors.count, constructions.count, ties.count].saturatedSum()
    let visited = max(module.namedTensors(removeDuplicates: false).count, 1)
    guard statements <= limit / visited else {
      throw CheckpointError(
        .unsupported,
        "expected at most \(limit / visited) statements for a model of \(visited) tensors, "
          + "found \(statements); pass --allow-large to read it")
    }
  }

  private func missing(_ path: String, _ line: Int) -> CheckpointError {
    CheckpointError(.missing, "line \(line): the model has no module '\(path)'")
  }
}

extension String {
  /// Without white space at either end.
  var trimmed: String { trimming(\.properties.isWhitespace) }
}
