/// From what is printed of a module to what it means.
extension KnownLayers {
  /// The module that a printed class, text, and children stand for; `path` is its place in the tree.
  static func module(
    kind: String, arguments: String, children: [Module.Child], compressesRuns: Bool,
    at path: String, _ sideFile: SideFile
  ) throws(ArgumentError) -> Module {
    let isDescribed = sideFile.describes(path)
    let told = sideFile.base(of: kind)
    if told == nil {
      try refuseScript(arguments)
      try refuseGaps(kind, arguments)
      if !isDescribed {
        try refuseWraps(kind, arguments)
        if children.isEmpty { try refuseProgram(kind) }
      }
    }
    let guess =
      isDescribed || told != nil
      ? nil : guessedBase(kind: kind, arguments: arguments, children: children)
    let base = told ?? guess
    if guess != nil { try refuseLazy(kind, arguments) }
    let layer = try layer(
      kind: kind, base: base, arguments: arguments, children: children,
      isDescribed: base == "Module" || isDescribed)
    if path.isEmpty, children.isEmpty, layer == nil, base == nil, !isDescribed, !knows(kind) {
      throw ArgumentError(
        offset: -1,
        message: """
          no layer is shown in \(kind)(…), and it is not a torch.nn class; print the model that \
          holds the layers, or say in the --extra file that it owns none, 'class \(kind)(Module)'
          """)
    }
    var module = Module(kind: kind, arguments: arguments, layer: layer, children: children)
    module.base = base
    module.isBaseGuessed = guess != nil && !kind.hasPrefix(parametrized)
    if base != nil, base != "Module", kind.hasPrefix(parametrized) {
      module = try module.parametrized()
    }
    if compressesRuns { module.compressesRuns = true }
    return module
  }

  /// A compiled module prints the classes of its layers, and none of their arguments.
  private static func refuseScript(_ arguments: String) throws(ArgumentError) {
    guard arguments.utf8.starts(with: "original_name=".utf8) else { return }
    throw ArgumentError(
      offset: -1,
      message: """
        a printed ScriptModule shows no sizes; print the model before torch.jit.script or \
        torch.jit.trace, or describe the live one with ckpt-describe (Tools/describe.py)
        """)
  }

  /// Classes of modules in compiled programs, whose text shows neither tensors nor sizes.
  private static let programs: Set = [
    "Module", "InterpreterModule", "ScriptModule", "RecursiveScriptModule", "TracedModule",
    "TopLevelTracedModule", "WeakScriptModuleProxy",
  ]

  private static func refuseProgram(_ kind: String) throws(ArgumentError) {
    guard programs.contains(kind) else { return }
    throw ArgumentError(
      offset: -1,
      message: """
        \(kind)() shows no tensors and no sizes, as in an exported or traced program; print the \
        model before torch.export, torch.fx, or torch.jit, describe it with ckpt-describe (Tools/describe.py), or \
        say in the --extra file what it owns, 'path.weight: [3, 4]', or that it owns nothing, \
        'class \(kind)(Module)'
        """)
  }

  /// A lazy layer has no tensors until its first batch.
  private static func refuseLazy(_ kind: String, _ arguments: String) throws(ArgumentError) {
    let printed = PrintedArguments(arguments)
    guard kind.contains("Lazy"), (printed.text("in_features") ?? printed.positionals.first) == "0"
    else { return }
    throw ArgumentError(
      offset: -1,
      message: """
        \(kind) has no tensors until the model has run one batch; run one, then print the model, \
        or describe it with ckpt-describe (Tools/describe.py), which follows the order of its draws
        """)
  }

  /// What stands for omitted text would hide children; containers of `torch.nn` print nothing else.
  private static func refuseGaps(_ kind: String, _ arguments: String) throws(ArgumentError) {
    let isContainer = ["Sequential", "ModuleList", "ModuleDict"].contains(kind)
    let gap = PrintedArguments(arguments).positionals.first(where: isGap)
    guard let text = isContainer && !arguments.isEmpty ? arguments : gap,
      let place = arguments.firstRange(of: text)
    else { return }
    let expected = isContainer ? "only children in \(kind)" : "the whole text of \(kind)"
    throw ArgumentError(
      offset: arguments[..<place.lowerBound].utf8.count,
      message: "expected \(expected), found '\(text.prefix(40))'"
        + (isContainer ? "" : ", which stands for omitted text"))
  }

  /// Whether a text is that of an omitted child: `...`, `Block(...)`, or `(0)` alone.
  private static func isGap(_ text: String) -> Bool {
    if text.hasPrefix("'") || text.hasPrefix("\"") { return false }
    if text.hasPrefix("("), text.hasSuffix(")"), text.utf8.count > 2,
      !text.utf8.dropFirst().dropLast().contains(where: { "(),=".utf8.contains($0) })
    {
      return true
    }
    let dots = text.replacing("…", with: "...").replacing("⋮", with: "...")
    let hasWord = text.unicodeScalars.contains {
      $0.properties.isAlphabetic || (0x30...0x39).contains($0.value)
    }
    return hasWord
      ? dots.hasPrefix("...") || dots.hasSuffix(" ...") || dots.contains("(...)")
        || dots.contains("[...]")
      : dots.contains { ".·*".contains($0) }
  }

  /// A layer of `torch.nn` prints its arguments on one line.
  private static func refuseWraps(_ kind: String, _ arguments: String) throws(ArgumentError) {
    guard isOwner(kind), arguments.utf8.contains(UInt8(ascii: "\n")),
      !isOwner(kind, printed: arguments)
    else { return }
    let lines = arguments.utf8.split(separator: UInt8(ascii: "\n"))
      .map { String(Substring($0)).trimmed }
    guard ["", " "].contains(where: { isOwner(kind, printed: lines.joined(separator: $0)) }) else {
      return
    }
    throw ArgumentError(
      offset: -1,
      message: "expected the arguments of \(kind) on one line, found \(lines.count) lines; "
        + "if the text was wrapped, print it again in a wider window")
  }

  /// Whether a class of `torch.nn` owns tensors.
  static func isOwner(_ kind: String) -> Bool {
    type(of: kind).map { $0.library == nil } ?? false
  }

  /// Whether a class of `torch.nn` owns tensors and prints such arguments.
  static func isOwner(_ kind: String, printed arguments: String) -> Bool {
    guard isOwner(kind), let type = type(of: kind) else { return false }
    return !arguments.utf8.allSatisfy(\.isBlank)
      && type.prints(
        PrintedModule(kind: kind, arguments: PrintedArguments(arguments), children: []))
  }
}

extension PrintedModule {
  /// Whether this many arguments have no name, all of `names` are there once, and others only from
  /// `optional`.
  func shows(
    _ positional: ClosedRange<Int>, _ names: [String], optional: [String] = []
  ) -> Bool {
    let found = arguments.names
    return positional.contains(arguments.positionalCount) && Set(found).count == found.count
      && Set(found).isSuperset(of: names)
      && found.allSatisfy { names.contains($0) || optional.contains($0) }
  }

  /// Whether nothing but children is printed, and these are their names in order, apart from
  /// those in `optional` and `parametrizations`.
  func showsOnly(children names: [String], optional: [String] = []) -> Bool {
    arguments.text.isEmpty
      && children.map(\.name).filter { !optional.contains($0) && $0 != "parametrizations" } == names
  }
}
