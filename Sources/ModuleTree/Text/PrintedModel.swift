import TensorCore

/// The text that PyTorch's `print(model)` shows, and the tree that it means.
///
/// `Name()`, `Name(arguments)` on one line, or `Name(`, then lines two spaces deeper, then `)`:
/// first the arguments' lines, then the children, `(key): ` and a module. `(0-11): 12 x Block(`
/// stands for twelve equal ones. Deeper lines among the arguments are free text.
///
/// Source: PyTorch 2.15 `Module.__repr__`, `ModuleList.__repr__`.
enum PrintedModel {
  /// Deepest nesting that is read.
  static let maxDepth = 1_000
}

extension Module {
  /// Reads the text that `print(model)` shows; `sideFile` says what the text cannot.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, the line, the column, what was found
  ///   there and what was expected; or `missing` when `sideFile` names what is not there.
  public init(printed text: String, sideFile: SideFile = SideFile()) throws {
    var parser = PrintedModelParser(text, sideFile: sideFile)
    self = try sideFile.applied(to: try parser.model())
  }
}

/// Reads a printed model line by line, with the open modules on a stack.
private struct PrintedModelParser {
  private struct Key {
    let name: String
    let first: Int
    let count: Int
  }

  private struct Open {
    let kind: String
    let key: Key?
    let line: Int
    let indent: Int
    var arguments: [String] = []
    var children: [Module.Child] = []
    var names: Set<TensorName> = []
    var modules = 1
    var sawRun = false
  }

  private let lines: [ArraySlice<UInt8>]
  private let sideFile: SideFile
  private var number = 0
  private var stack: [Open] = []
  private var path: [String] = []
  private var root: Module?

  init(_ text: String, sideFile: SideFile) {
    self.sideFile = sideFile
    var lines = Array(text.utf8).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for index in lines.indices where lines[index].last == UInt8(ascii: "\r") {
      lines[index].removeLast()
    }
    while let last = lines.last, last.allSatisfy(\.isBlank) { lines.removeLast() }
    self.lines = lines
  }

  mutating func model() throws(CheckpointError) -> Module {
    for (index, line) in lines.enumerated() {
      number = index + 1
      if root != nil {
        throw error(1, "found '\(line.start)'", "the end of the text, as the model is complete")
      }
      try read(line)
    }
    number = lines.count + 1
    if let open = stack.last {
      throw error(
        1, "found the end of the text",
        "')' below \(String(repeating: " ", count: open.indent))\(open.kind)( of line \(open.line)")
    }
    guard let root else { throw error(1, "found no text", "a printed model, 'Name(…)'") }
    return root
  }

  private mutating func read(_ line: ArraySlice<UInt8>) throws(CheckpointError) {
    guard let open = stack.last else {
      if !line.allBlank { try module(line, key: nil, indent: 0) }
      return
    }
    let indent = line.prefix { $0 == UInt8(ascii: " ") }.count
    let body = line.dropFirst(indent)
    if indent == open.indent, body.first == UInt8(ascii: ")"), body.dropFirst().allBlank {
      return try close()
    }
    if body.allBlank, open.children.isEmpty {
      stack[stack.count - 1].arguments.append(line.dropFirst(open.indent + 2).text)
      return
    }
    guard indent >= open.indent + 2 else {
      throw error(
        indent + 1, "found '\(body.start)' after \(indent) spaces",
        "\(open.indent + 2) spaces below \(open.kind)( of line \(open.line), or its ')'")
    }
    if indent == open.indent + 2, let (key, rest) = Self.key(body) {
      return try child(key, rest, indent: indent)
    }
    if !open.children.isEmpty {
      throw error(
        open.indent + 3, "found '\(line.dropFirst(open.indent + 2).start)'",
        "'(name): ' of a child, or ')', after the children of \(open.kind)")
    }
    if let (_, rest) = Self.key(body), Self.opening(rest) != nil {
      throw error(
        indent + 1, "found a child after \(indent) spaces",
        "\(open.indent + 2) spaces below \(open.kind)( of line \(open.line)")
    }
    stack[stack.count - 1].arguments.append(line.dropFirst(open.indent + 2).text)
  }

  /// `(key): `, if the line begins with one, and what follows.
  private static func key(
    _ body: ArraySlice<UInt8>
  ) -> (key: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
    guard body.first == UInt8(ascii: "("), let end = body.firstIndex(of: UInt8(ascii: ")")) else {
      return nil
    }
    let rest = body[(end + 1)...]
    guard rest.starts(with: ": ".utf8) else { return nil }
    return (body[(body.startIndex + 1)..<end], rest.dropFirst(2))
  }

  /// The class name before the first parenthesis, if the text begins with one.
  private static func opening(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let name = text.prefix { $0 != UInt8(ascii: "(") }
    guard name.endIndex < text.endIndex, !name.isEmpty, !name.contains(where: \.endsName) else {
      return nil
    }
    return name
  }

  private mutating func child(
    _ name: ArraySlice<UInt8>, _ rest: ArraySlice<UInt8>, indent: Int
  ) throws(CheckpointError) {
    guard !name.isEmpty, !name.contains(UInt8(ascii: ".")) else {
      throw error(indent + 2, "found the name '\(name.text)'", "a name without dots")
    }
    var key = Key(name: name.text, first: 0, count: 1)
    var body = rest
    if let (count, after) = Self.repetition(rest) {
      let ends = name.split(separator: UInt8(ascii: "-")).map { Int($0.text) }
      guard ends.count == 2, let first = ends[0], let last = ends[1], last >= first,
        last - first == count - 1
      else {
        throw error(
          indent + 2, "found (\(name.text)): \(count) x",
          "a range of as many numbers, (0-\(count - 1))")
      }
      key = Key(name: String(first), first: first, count: count)
      body = after
      stack[stack.count - 1].sawRun = true
    }
    if body.elementsEqual("None".utf8) {
      try attach(nil, key, modules: 0, column: indent + 1)
    } else {
      try module(body, key: key, indent: indent)
    }
  }

  /// The number in `12 x `, if the text begins with one, and what follows.
  private static func repetition(
    _ text: ArraySlice<UInt8>
  ) -> (count: Int, rest: ArraySlice<UInt8>)? {
    let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let rest = text[digits.endIndex...]
    guard let count = Int(digits.text), rest.starts(with: " x ".utf8) else { return nil }
    return (count, rest.dropFirst(3))
  }

  private mutating func module(
    _ text: ArraySlice<UInt8>, key: Key?, indent: Int
  ) throws(CheckpointError) {
    let column = text.startIndex - lines[number - 1].startIndex + 1
    guard let name = Self.opening(text) else {
      throw error(column, "found '\(text.start)'", "a module, 'Name(…)' or 'None'")
    }
    let inside = text[(name.endIndex + 1)...]
    if let key { path.append(key.name) }
    guard stack.count < PrintedModel.maxDepth else {
      throw error(column, "found more", "at most \(PrintedModel.maxDepth) levels")
    }
    let open = Open(kind: name.text, key: key, line: number, indent: indent)
    if inside.allBlank {
      stack.append(open)
      return
    }
    let trimmed = inside.droppingBlankEnd
    guard trimmed.last == UInt8(ascii: ")") else {
      throw error(
        column + text.count, "found the end of the line in \(name.text)(…",
        "')' or nothing after '('")
    }
    stack.append(open)
    if trimmed.count > 1 { stack[stack.count - 1].arguments.append(trimmed.dropLast().text) }
    try close(argumentsColumn: column + name.count + 1)
  }

  private mutating func close(argumentsColumn: Int? = nil) throws(CheckpointError) {
    let open = stack.removeLast()
    let arguments = open.arguments.joined(separator: "\n")
    let modulePath = path.joined(separator: ".")
    if open.key != nil { path.removeLast() }
    let isDescribed = sideFile.describes(modulePath)
    let guess =
      isDescribed || sideFile.base(of: open.kind) != nil
      ? nil
      : KnownLayers.guessedBase(kind: open.kind, arguments: arguments, children: open.children)
    let base = sideFile.base(of: open.kind) ?? guess
    var module: Module
    do {
      let layer = try KnownLayers.layer(
        kind: open.kind, base: base, arguments: arguments, children: open.children,
        isDescribed: base == "Module" || isDescribed)
      module = Module(
        kind: open.kind, arguments: arguments, layer: layer, children: open.children)
      module.base = base
      module.isBaseGuessed = guess != nil && !open.kind.hasPrefix(KnownLayers.parametrized)
      if base != nil, base != "Module", open.kind.hasPrefix(KnownLayers.parametrized) {
        module = try module.parametrized()
      }
    } catch {
      throw self.error(error, in: open, arguments, argumentsColumn)
    }
    if open.sawRun { module.compressesRuns = true }
    if let key = open.key {
      let size = open.modules + module.ownParameters.count + module.ownBuffers.count
      try attach(module, key, modules: size, column: open.indent + 1)
    } else {
      root = module
    }
  }

  private mutating func attach(
    _ module: Module?, _ key: Key, modules: Int, column: Int
  ) throws(CheckpointError) {
    let parent = stack.count - 1
    let (added, overflow) = modules.multipliedReportingOverflow(by: key.count)
    let sum = stack[parent].modules.addingReportingOverflow(added)
    let limit = Budget.current.maxModules
    guard !overflow, !sum.overflow, sum.partialValue <= limit, key.count <= limit else {
      throw CheckpointError(
        .malformed,
        "line \(number), column \(column): found more than \(limit) modules and tensors; "
          + "pass --allow-large to allow them")
    }
    stack[parent].modules = sum.partialValue
    for index in 0..<key.count {
      let name = key.count == 1 ? key.name : String(key.first + index)
      guard stack[parent].names.insert(TensorName(name)).inserted else {
        throw error(column + 1, "found a second child '\(name)'", "another name")
      }
      stack[parent].children.append(Module.Child(name, module))
    }
  }

  private func error(
    _ error: ArgumentError, in open: Open, _ arguments: String, _ argumentsColumn: Int?
  ) -> CheckpointError {
    var (line, column) = (open.line, open.indent + 1)
    if let argumentsColumn {
      // Name and arguments are on one line; an offset below 0 is the name's own column.
      column = error.offset < 0 ? argumentsColumn - open.kind.utf8.count - 1 : argumentsColumn
      column += max(error.offset, 0)
    } else if error.offset >= 0, !open.arguments.isEmpty {
      let before = arguments.utf8.prefix(error.offset)
      line += 1 + before.count { $0 == UInt8(ascii: "\n") }
      let start = before.lastIndex(of: UInt8(ascii: "\n")).map(before.index(after:))
      column += 2 + before.distance(from: start ?? before.startIndex, to: before.endIndex)
    }
    return CheckpointError(.malformed, "line \(line), column \(column): \(error.message)")
  }

  private func error(_ column: Int, _ found: String, _ expected: String) -> CheckpointError {
    CheckpointError(.malformed, "line \(number), column \(column): expected \(expected), \(found)")
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == 32 || self == 9 || self == 13 }
  fileprivate var endsName: Bool {
    isBlank || self == UInt8(ascii: ")") || self == UInt8(ascii: ":") || self == UInt8(ascii: ",")
      || self == UInt8(ascii: "=") || self == UInt8(ascii: "'")
  }
}

extension ArraySlice<UInt8> {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
  fileprivate var allBlank: Bool { allSatisfy(\.isBlank) }
  fileprivate var droppingBlankEnd: Self {
    self[..<((lastIndex { !$0.isBlank } ?? startIndex - 1) + 1)]
  }
  /// The first characters, for an error.
  fileprivate var start: String { count > 40 ? prefix(40).text + "…" : text }
}
