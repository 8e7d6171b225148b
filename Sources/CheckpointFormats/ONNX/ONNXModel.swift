import ByteIO
import TensorCore

/// Walks through a model and collects its tensors, in the order of the file.
///
/// Initializers of the main graph keep their names; those of graphs inside nodes are named
/// `NODE.ATTRIBUTE.NAME`. The tensor of a `Constant` node has the name of the node's output. Nodes and
/// functions need not have names of their own: a path that is taken is followed by `_INDEX`.
struct ONNXModel {
  private(set) var opened = Opened(Checkpoint(entries: []))
  private let source: ByteSource
  private let place: Place
  private var names: Set<TensorName> = []
  private var narrowed = NarrowNotes()
  private var room = ValueRoom()
  private var files: [String: ByteSource] = [:]
  private var paths: Set<TensorName> = []
  private var nested: NestedNames
  /// The first error of a tensor that is left out.
  private var firstError: CheckpointError?
  /// Constants in attributes that are not read: how many, and the first one.
  private var unread = (count: 0, first: "")

  /// Deepest nesting of graphs.
  private static let maxDepth = 64

  init(_ source: ByteSource, in place: Place) {
    self.source = source
    self.place = place
    nested = NestedNames(size: source.size)
  }

  /// Reads the whole model (`ModelProto`).
  mutating func read() throws(CheckpointError) {
    var reader = ProtobufReader(source)
    var versions: [Value.Member] = []
    var properties: [Value.Member] = []
    var isModel = false
    var (trainingGraphs, functions) = (0, 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: add("ir_version", .integer(try field.signed))
      case 2: add("producer_name", .text(try reader.text(field)))
      case 3: add("producer_version", .text(try reader.text(field)))
      case 4: add("domain", .text(try reader.text(field)))
      case 5: add("model_version", .integer(try field.signed))
      case 6: add("doc_string", .text(try reader.text(field, limit: 1 << 24)))
      case 7:
        isModel = true
        try graph(try reader.message(field), prefix: "", depth: 0)
      case 8: versions.append(try ONNXProperty.version(try reader.message(field)))
      case 14: properties.append(try ONNXProperty.text(try reader.message(field)))
      case 20:
        var training = try reader.message(field)
        while let graph = try training.next() {
          guard [1, 2].contains(graph.number) else { continue }
          let name = graph.number == 1 ? "initialization" : "algorithm"
          try self.graph(
            try training.message(graph), prefix: "training_info.\(trainingGraphs).\(name).",
            depth: 0)
        }
        trainingGraphs += 1
      case 25:
        try function(try reader.message(field), index: functions)
        functions += 1
      default: break
      }
    }
    guard isModel else {
      throw CheckpointError(.malformed, "expected a model with a graph, found none")
    }
    if opened.checkpoint.entries.isEmpty, let firstError { throw firstError }
    opened.notes += narrowed.notes
    if unread.count > 0 {
      opened.notes.append(
        "skipped \(unread.count) constant\(unread.count == 1 ? "" : "s") in attributes of nodes "
          + "(first: '\(unread.first)')")
    }
    if !versions.isEmpty { add("opset_import", .dictionary(versions)) }
    if !properties.isEmpty { add("metadata_props", .dictionary(properties)) }
  }

  private mutating func add(_ name: String, _ value: Value) {
    if case .text("") = value { return }
    let isNew = opened.checkpoint.values.allSatisfy { $0.name != name }
    if isNew { opened.checkpoint.values.append(Checkpoint.Named(name, value)) }
  }

  /// A path that nothing else has.
  private mutating func unique(_ path: String, _ index: Int) throws(CheckpointError) -> String {
    var path = path
    while !paths.insert(TensorName(path)).inserted { path += "_\(index)" }
    try nested.charge(path)
    return path
  }

  private mutating func function(
    _ message: ProtobufReader, index: Int
  ) throws(CheckpointError) {
    var reader = message
    var nodes: [ProtobufReader] = []
    var name = ""
    while let field = try reader.next() {
      if field.number == 1 { name = try reader.text(field) }
      if field.number == 7 { nodes.append(try reader.message(field)) }
    }
    let path = try unique(name, index)
    for (index, node) in nodes.enumerated() {
      try self.node(node, index: index, prefix: path + ".", depth: 1)
    }
  }

  // MARK: - Graphs

  /// Reads a graph (`GraphProto`).
  private mutating func graph(
    _ message: ProtobufReader, prefix: String, depth: Int
  ) throws(CheckpointError) {
    guard depth <= Self.maxDepth else {
      throw CheckpointError(.unsupported, "graphs are nested deeper than \(Self.maxDepth) levels")
    }
    var reader = message
    var nodes = 0
    while let field = try reader.next() {
      switch field.number {
      case 1:
        try node(try reader.message(field), index: nodes, prefix: prefix, depth: depth)
        nodes += 1
      case 2 where depth == 0 && prefix.isEmpty: add("graph", .text(try reader.text(field)))
      case 5: try tensor(try reader.message(field), at: field.start, prefix: prefix)
      case 15: try sparse(try reader.message(field), at: field.start, prefix: prefix)
      default: break
      }
    }
  }

  /// Reads a node (`NodeProto`): the value of a constant, and graphs in attributes.
  private mutating func node(
    _ message: ProtobufReader, index: Int, prefix: String, depth: Int
  ) throws(CheckpointError) {
    var reader = message
    var attributes: [ProtobufReader.Field] = []
    var (name, output, kind) = ("", "", "")
    while let field = try reader.next() {
      switch field.number {
      case 2 where output.isEmpty: output = try reader.text(field)
      case 3: name = try reader.text(field)
      case 4: kind = try reader.text(field)
      case 5: attributes.append(field)
      default: break
      }
    }
    if attributes.isEmpty { return }
    let path = prefix + (name.isEmpty ? "\(kind)_\(index)" : name)
    try nested.charge(path)
    for attribute in attributes {
      try self.attribute(
        try message.message(attribute), path: path, index: index,
        constant: kind == "Constant" && !output.isEmpty ? prefix + output : nil, depth: depth)
    }
  }

  private mutating func attribute(
    _ message: ProtobufReader, path: String, index: Int, constant: String?, depth: Int
  ) throws(CheckpointError) {
    var reader = message
    var inner: [ProtobufReader.Field] = []
    var name = ""
    var isUnread = false
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.text(field)
      // A tensor, a sparse tensor, a graph, and graphs.
      case 5 where constant != nil, 22 where constant != nil, 6, 11: inner.append(field)
      // Those of other nodes, lists of them, and a constant's numbers and texts.
      case 5, 22, 10, 23: isUnread = true
      case 2, 3, 4, 7, 8, 9: isUnread = isUnread || constant != nil
      default: break
      }
    }
    if isUnread {
      if unread.count == 0 { unread.first = "\(path).\(name)" }
      unread.count += 1
    }
    var graphs = 0
    for field in inner {
      let content = try message.message(field)
      switch field.number {
      case 6, 11:
        let number = field.number == 6 ? "" : ".\(graphs)"
        graphs += 1
        let path = try unique("\(path).\(name)\(number)", index)
        try graph(content, prefix: path + ".", depth: depth + 1)
      case 5:
        if let constant { try tensor(content, at: field.start, prefix: "", name: constant) }
      default:
        if let constant { try sparse(content, at: field.start, prefix: "", name: constant) }
      }
    }
  }

  // MARK: - Tensors

  private mutating func tensor(
    _ message: ProtobufReader, at start: Int, prefix: String, name other: String? = nil
  ) throws(CheckpointError) {
    let tensor: ONNXTensor
    do throws(CheckpointError) {
      tensor = try ONNXTensor(message, in: source)
    } catch {
      guard let name = error.tensor else { throw error.adding(tensor: other, offset: start) }
      return leaveOut(TensorName(other ?? prefix + name), error.adding(offset: start))
    }
    try add(tensor, named: other ?? prefix + tensor.name, at: start)
  }

  private mutating func add(
    _ tensor: ONNXTensor, named text: String, at start: Int
  ) throws(CheckpointError) {
    let name = TensorName(text)
    try CheckpointError.placing(tensor: text, offset: start) { () throws(CheckpointError) in
      try nested.charge(text)
      try names.add(tensor: name)
      guard room.take() else {
        throw CheckpointError(
          .unsupported,
          "the model has more than \(Budget.current.maxValues) tensors; pass --allow-large to read it"
        )
      }
      if tensor.type == ONNX.stringType {
        let value = try tensor.texts(in: &room) ?? .unread("texts that need too much memory")
        opened.checkpoint.values.append(Checkpoint.Named(text, value))
        return
      }
      let found: Checkpoint.Entry?
      do throws(CheckpointError) {
        let external = try tensor.location.map { location throws(CheckpointError) in
          try self.file(location)
        }
        found = try tensor.entry(named: name, external: external)
      } catch {
        // What cannot be read never blocks the other tensors.
        return leaveOut(name, error.adding(tensor: text, offset: start))
      }
      guard let entry = found else {
        let kind = "elements of ONNX's type \(tensor.type)"
        return opened.addUnread(
          text, kind, note: "tensor '\(name)' has \(kind), which are not read; left out")
      }
      if let narrow = ONNX.narrow[tensor.type] { narrowed.add(narrow, name) }
      opened.checkpoint.entries.append(entry)
    }
  }

  private mutating func leaveOut(_ name: TensorName, _ error: CheckpointError) {
    let file = error.path.map { "\($0): " } ?? ""
    opened.leaveOut(name, file + error.message)
    if firstError == nil { firstError = error }
  }

  /// Adds the parts of a sparse tensor (`SparseTensorProto`), and its shape as a value.
  private mutating func sparse(
    _ message: ProtobufReader, at start: Int, prefix: String, name: String? = nil
  ) throws(CheckpointError) {
    var reader = message
    var parts: [(ending: String, tensor: ONNXTensor)] = []
    var sizes: [Int] = []
    while let field = try reader.next() {
      switch field.number {
      case 1: parts.append(("values", try ONNXTensor(try reader.message(field), in: source)))
      case 2: parts.append(("indices", try ONNXTensor(try reader.message(field), in: source)))
      case 3: try reader.integers(field, into: &sizes, limit: ONNX.maxRank)
      default: break
      }
    }
    let own = parts.first { $0.ending == "values" }?.tensor.name ?? ""
    let path = name ?? prefix + own
    for part in parts { try add(part.tensor, named: "\(path).\(part.ending)", at: start) }
    opened.checkpoint.values.append(
      Checkpoint.Named("\(path).size", .list(sizes.map(Value.integer))))
  }

  /// Opens a file with the data of tensors, once.
  private mutating func file(_ location: String) throws(CheckpointError) -> ByteSource {
    if let known = files[location] { return known }
    let file = try place.open(location)
    files[location] = file
    return file
  }
}
