import TensorCore

/// Reads a printed model from its name to its last parenthesis, with the open modules on a stack.
struct PrintedModelParser {
  struct Key {
    let name: String
    let first: Int
    let count: Int
    let offset: Int
    let isCall: Bool
  }

  struct Open {
    let kind: String
    let key: Key?
    /// Offset of the name.
    let start: Int
    /// Columns before its line, if it is the first on it.
    let indent: Int?
    var arguments: ArgumentText
    var children: [Module.Child] = []
    var names: Set<TensorName> = []
    var modules = 1
    var sawRun = false
    var hasKeyedChild = false
    var childIndent: Int?
    /// Bytes of its path, and how many modules it stands for in the whole tree.
    let pathLength: Int
    let copies: Int
  }

  let text: PastedText
  private let sideFile: SideFile
  private(set) var stack: [Open] = []
  private var path: [String] = []
  private var root: Module?
  /// Room for the paths of all modules: a long name may stand above many of them.
  private var paths: Budget.Account

  init(_ text: PastedText, sideFile: SideFile) {
    self.text = text
    self.sideFile = sideFile
    paths = Budget.current.account(of: .modulePaths, size: text.bytes.count)
  }

  mutating func model() throws(CheckpointError) -> Module {
    let start = try text.root()
    var index = try open(at: start, key: nil)
    while let open = stack.last {
      index = open.hasKeyedChild ? try afterChild(index) : try inArguments(from: index)
    }
    let next = text.skippingBlanks(index, lines: true)
    try text.checkOutside(start..<(text.skippingInitialization(next) ?? index))
    guard var root else { throw text.error(at: start, expected: "a module", found: "none") }
    for path in text.pathsRead(from: index) { root.mention(path[...]) }
    return root
  }

  /// Reads a class name and the parenthesis after it.
  private mutating func open(at offset: Int, key: Key?) throws(CheckpointError) -> Int {
    guard let (name, open) = text.module(at: offset) else {
      throw text.error(
        at: offset, expected: "a module, 'Name(…)' or 'None'", found: "'\(text.start(offset))'")
    }
    guard stack.count < PrintedModel.maxDepth else {
      throw text.error(
        at: offset, expected: "at most \(PrintedModel.maxDepth) levels", found: "more")
    }
    let (pathLength, copies) = try charge(key, at: offset)
    if let key { path.append(key.name) }
    let indent = text.indent(key?.offset ?? offset)
    let unit = indent.flatMap { own in stack.last?.indent.map { max(own - $0, 0) } }
    stack.append(
      Open(
        kind: text.text(name), key: key, start: offset, indent: indent,
        arguments: ArgumentText(margin: indent ?? 0, unit: unit), pathLength: pathLength,
        copies: copies))
    return open + 1
  }

  /// Takes the room for the paths of a module that is about to be read, and of its equals.
  private mutating func charge(
    _ key: Key?, at offset: Int
  ) throws(CheckpointError) -> (pathLength: Int, copies: Int) {
    let above = stack.last
    let length = (above?.pathLength ?? 0) + (key?.name.utf8.count ?? 0) + 1
    // More modules than this are refused when they are attached.
    let copies = min(
      (above?.copies ?? 1).saturated(times: key?.count ?? 1), Budget.current.maxModules + 1)
    guard paths.charge(length.saturated(times: copies)) else {
      let (line, column) = text.position(of: offset)
      throw CheckpointError(
        .malformed,
        "line \(line), column \(column): the paths of the modules take more than "
          + "\(paths.limit) bytes; pass --allow-large to allow them")
    }
    return (length, copies)
  }

  /// Reads arguments up to the first child or the end of the module.
  private mutating func inArguments(from start: Int) throws(CheckpointError) -> Int {
    var (index, depth) = (start, 0)
    var last = UInt8(ascii: "(")
    while index < text.bytes.count {
      let byte = text.bytes[index]
      switch byte {
      case UInt8(ascii: "(") where depth == 0:
        // A key is looked for to the end of the line, so not after a word, where none can be.
        if !last.isWord, let key = text.key(at: index), try isChild(key, at: index) {
          try endArguments(start..<index)
          return try child(key, at: index)
        }
        if let (name, module) = text.argumentModule(at: index, from: start) {
          try endArguments(start..<name.lowerBound)
          stack[stack.count - 1].childIndent = nil
          return try open(
            at: module,
            key: Key(
              name: text.text(name), first: 0, count: 1, offset: name.lowerBound, isCall: false))
        }
        depth += 1
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")") where depth == 0:
        try endArguments(start..<index)
        return try close(at: index)
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "'"), UInt8(ascii: "\""):
        // A quote within a word is an apostrophe.
        if !last.isWord, let end = text.quoteEnd(index) { index = end }
      default: break
      }
      last = byte
      index += 1
    }
    throw unclosed()
  }

  private func unclosed() -> CheckpointError {
    let open = stack[stack.count - 1]
    return text.error(
      at: text.bytes.count,
      expected: "')' of \(open.kind)( of line \(text.position(of: open.start).line)",
      found: "the end of the text")
  }

  /// Whether what looks like a key is one, and not part of a free text.
  private func isChild(_ key: PastedText.Key, at offset: Int) throws(CheckpointError) -> Bool {
    let isFirst = text.indent(offset) != nil
    let before = offset > 0 ? text.bytes[offset - 1] : 10
    guard isFirst || before.isBlank || before == UInt8(ascii: "(") else { return false }
    if text.module(at: key.body) != nil { return true }
    if text.isNone(at: key.body) || text.isFunction(key) { return true }
    if isFirst, !text.isParameter(at: key.body) {
      throw text.error(
        at: key.body, expected: "a module, 'Name(…)' or 'None'", found: "'\(text.start(key.body))'")
    }
    return false
  }

  private mutating func endArguments(_ range: Range<Int>) throws(CheckpointError) {
    try stack[stack.count - 1].arguments.append(range, of: text)
  }

  /// Reads what follows a child: the next one, or the end.
  private mutating func afterChild(_ offset: Int) throws(CheckpointError) -> Int {
    let index = text.skippingBlanks(offset, lines: true)
    guard index < text.bytes.count else { throw unclosed() }
    if text.bytes[index] == UInt8(ascii: ")") { return try close(at: index) }
    if let end = text.skippingInitialization(index) { return end }
    guard let key = text.key(at: index), try isChild(key, at: index) else {
      throw text.error(
        at: index,
        expected:
          "'(name): ' of a child, or ')', after the children of \(stack[stack.count - 1].kind)",
        found: "'\(text.start(index))'")
    }
    return try child(key, at: index)
  }

  private mutating func child(_ key: PastedText.Key, at offset: Int) throws(CheckpointError) -> Int
  {
    let parent = stack.count - 1
    stack[parent].hasKeyedChild = true
    try checkIndent(of: offset)
    let name = text.text(key.name)
    if text.isChanged(in: key.name) {
      throw text.error(
        at: offset + 1, expected: "a name as it was printed",
        found: "'\(name)' with an invisible or replaced character in it")
    }
    guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: ".")) else {
      throw text.error(at: offset + 1, expected: "a name without dots", found: "the name '\(name)'")
    }
    var made = Key(
      name: key.isCall ? "module_\(name)" : name, first: 0, count: 1, offset: offset,
      isCall: key.isCall)
    if let count = key.count {
      let ends = name.split(separator: "-").map { Int($0) }
      guard ends.count == 2, let first = ends[0], let last = ends[1], last >= first,
        last - first == count - 1
      else {
        throw text.error(
          at: offset + 1, expected: "a range of as many numbers, (0-\(max(count, 1) - 1))",
          found: "(\(name)): \(count) x")
      }
      made = Key(name: String(first), first: first, count: count, offset: offset, isCall: false)
      stack[parent].sawRun = true
    }
    guard text.module(at: key.body) == nil else { return try open(at: key.body, key: made) }
    _ = try charge(made, at: offset)
    try attach(nil, made, modules: 0)
    return key.isCall ? text.lineEnd(key.body) : key.body + 4
  }

  /// Children that begin lines are indented alike, and deeper than their parent unless nothing is.
  private mutating func checkIndent(of offset: Int) throws(CheckpointError) {
    let parent = stack[stack.count - 1]
    guard let indent = text.indent(offset) else { return }
    let wanted = parent.childIndent ?? parent.indent.map { max($0 + 1, indent) }
    if let wanted, indent != wanted, indent > 0 || wanted > 1 {
      throw text.error(
        at: offset,
        expected: "the indentation of a child of \(parent.kind)( of line "
          + "\(text.position(of: parent.start).line)", found: "\(indent) columns")
    }
    stack[stack.count - 1].childIndent = indent
  }

  private mutating func close(at offset: Int) throws(CheckpointError) -> Int {
    let open = stack.removeLast()
    if let own = open.indent, !stack.isEmpty, let indent = text.indent(offset), indent != own {
      throw text.error(
        at: offset,
        expected: "')' below \(open.kind)( of line \(text.position(of: open.start).line)",
        found: "it after \(indent) columns")
    }
    let module = try made(open)
    if let key = open.key {
      path.removeLast()
      let size = open.modules + module.ownParameters.count + module.ownBuffers.count
      try attach(module, key, modules: size)
      if key.isCall { return text.lineEnd(offset) }
    } else {
      root = module
    }
    return offset + 1
  }

  private func made(_ open: Open) throws(CheckpointError) -> Module {
    do {
      return try KnownLayers.module(
        kind: open.kind, arguments: open.arguments.text, children: open.children,
        compressesRuns: open.sawRun, at: path.joined(separator: "."), sideFile)
    } catch {
      let offset = error.offset < 0 ? open.start : open.arguments.source(of: error.offset)
      let (line, column) = text.position(of: offset ?? open.start)
      throw CheckpointError(.malformed, "line \(line), column \(column): \(error.message)")
    }
  }

  private mutating func attach(
    _ module: Module?, _ key: Key, modules: Int
  ) throws(CheckpointError) {
    let parent = stack.count - 1
    let (added, overflow) = modules.multipliedReportingOverflow(by: key.count)
    let sum = stack[parent].modules.addingReportingOverflow(added)
    let limit = Budget.current.maxModules
    guard !overflow, !sum.overflow, sum.partialValue <= limit, key.count <= limit else {
      let (line, column) = text.position(of: key.offset)
      throw CheckpointError(
        .malformed,
        "line \(line), column \(column): found more than \(limit) modules and tensors; "
          + "pass --allow-large to allow them")
    }
    stack[parent].modules = sum.partialValue
    for index in 0..<key.count {
      let name = key.count == 1 ? key.name : String(key.first + index)
      guard stack[parent].names.insert(TensorName(name)).inserted else {
        throw text.error(
          at: key.offset + 1, expected: "another name", found: "a second child '\(name)'")
      }
      stack[parent].children.append(Module.Child(name, module))
    }
  }
}
