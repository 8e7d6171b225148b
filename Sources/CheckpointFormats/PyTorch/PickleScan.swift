public import ByteIO
public import TensorCore

/// Every class and function that a file's pickles name, whether it is recognized, and which tensors
/// depend on unrecognized ones.
///
/// Nothing is run or imported. That a name is recognized means that this reader expects it in
/// checkpoints; it says nothing about what the pickle would do in Python. Names that are known to run
/// code are marked as dangerous; that a name is not marked does not make it harmless.
public struct PickleScan: Sendable {
  /// A class or a function, at its first use in a pickle.
  public struct Finding: Sendable {
    /// The module, such as `torch._utils`.
    public let module: String
    /// The name in the module, such as `_rebuild_tensor_v2`.
    public let name: String
    /// The pickle: a member of an archive, or the pickle's purpose.
    public let pickle: String
    /// Offset in the pickle of the opcode that names it.
    public let offset: Int
    /// Offset in the file; `nil` if the pickle is compressed.
    public let fileOffset: Int?
    /// Whether the reader of checkpoints knows it.
    public let isRecognized: Bool
    /// Why it is known to be dangerous, such as `runs commands`; `nil` if it is not known to be.
    public let danger: String?
    /// The first calls that the pickle would make of a dangerous name, `os.system('true')`.
    public let calls: [String]
    /// Tensors that depend on it; empty for recognized names.
    public internal(set) var tensors: [TensorName] = []

    /// Both names, such as `torch._utils._rebuild_tensor_v2`.
    public var fullName: String { module + "." + name }
  }

  /// Names of the pickles, in the order in which they were read.
  public private(set) var pickles: [String] = []
  /// The classes and functions that they name, in file order.
  public private(set) var findings: [Finding] = []
  /// Other remarks, one sentence each.
  public package(set) var notes: [String] = []

  /// Parts that could not be read, one sentence each.
  public package(set) var unread: [String] = []

  /// Work that is left: archives in archives may hold any number of pickles.
  private var work = Budget.current.account(of: .scannedBytes, size: 0)
  private var isSpent = false
  /// Whether a folder holds a file that is named like a checkpoint.
  private var holdsCheckpoint = false

  /// Reads the pickles of a file written by any version of `torch.save`, of a distributed checkpoint's
  /// folder or any other, of an archive, of arrays of objects, or of a file of pickles.
  ///
  /// What cannot be read is in ``unread``; names before it are listed.
  /// - Throws: ``TensorCore/CheckpointError`` when nothing can be read, or there is no pickle.
  public init(_ probe: FileProbe) throws(CheckpointError) {
    do throws(CheckpointError) {
      if probe.members == nil {
        work = Budget.current.account(of: .scannedBytes, size: try probe.source.size)
      }
      do throws(CheckpointError) {
        try read(probe)
      } catch {
        // A file of a format without pickles is not a damaged pickle.
        guard probe.members == nil, pickles.isEmpty, !Self.mayHoldPickles(probe.head),
          CheckpointFormat.recognized(probe) != nil
        else { throw error }
      }
      guard !pickles.isEmpty || !unread.isEmpty else {
        if holdsCheckpoint || probe.members == nil && CheckpointFormat.recognized(probe) != nil {
          notes.append("contains no pickle")
          return
        }
        throw KnownFile.error(for: probe) ?? CheckpointError(.missing, "contains no pickle")
      }
    } catch {
      let isKnown = pickles.isEmpty && CheckpointFormat.recognized(probe) == nil
      let known = isKnown ? KnownFile.error(for: probe) : nil
      throw (known ?? error).adding(path: probe.path)
    }
  }

  /// Charges a pickle or an archive and the bytes that reading it takes; false when the work is spent,
  /// which is recorded once.
  mutating func charge(_ bytes: Int) -> Bool {
    if !isSpent, work.charge([Self.costOfPart, bytes].saturatedSum()) { return true }
    if !isSpent {
      unread.append(
        "the rest: more than \(work.limit) bytes of work; pass --allow-large to search everything")
    }
    isSpent = true
    return false
  }

  private static let costOfPart = 1 << 13

  /// Reads the files of a folder inside a folder.
  private mutating func readFolder(
    _ name: String, in candidate: FileProbe, _ path: String, _ depth: Int
  ) {
    reading(path + name) { scan throws(CheckpointError) in
      let folder = try candidate.member(name)
      guard folder.members != nil, scan.charge(0) else { return }
      guard depth < Self.maxDepth else {
        return scan.unread.append("\(path)\(name): folders are nested too deeply")
      }
      try scan.read(folder, path: path + name + "/", depth: depth + 1)
    }
  }

  private mutating func read(
    _ candidate: FileProbe, path: String = "", depth: Int = 0
  ) throws(CheckpointError) {
    guard let members = candidate.members else {
      return try read(try candidate.source, as: "", at: 0, depth: 0)
    }
    guard DistributedCheckpoint.recognizes(candidate) else {
      for name in members {
        reading(path + name) { scan throws(CheckpointError) in
          guard let file = try candidate.place.folder(candidate.name).openFile(name) else {
            return scan.readFolder(name, in: candidate, path, depth)
          }
          if CheckpointFormat.named(byEndingOf: name) != nil { scan.holdsCheckpoint = true }
          try scan.readIfPickled(file, as: path + name + "/", at: 0, depth: 0)
        }
      }
      return
    }
    let folder = try DistributedCheckpoint(candidate)
    add(folder.pickle, as: path + DistributedCheckpoint.metadataName, at: 0)
    for (name, range) in folder.fileRanges {
      let part = try folder.file(named: name).part(range)
      try read(part, as: "\(path)\(name)@\(range.lowerBound)/", at: range.lowerBound, depth: 0)
    }
  }

  /// Runs `body`; its error is recorded as a part that could not be read.
  mutating func reading(
    _ name: String, _ body: (inout Self) throws(CheckpointError) -> Void
  ) {
    do throws(CheckpointError) {
      try body(&self)
    } catch {
      unread.append("\(name): \(error.offset.map { "at byte \($0): " } ?? "")\(error.message)")
    }
  }

  mutating func add(
    _ pickle: Pickle, as name: String, at offset: Int?, tensors: [String: PyTorchTensor] = [:],
    depth: Int = 0
  ) {
    pickles.append(name)
    let dependents = Self.dependents(pickle, tensors)
    let calls = PickleCalls(pickle)
    for (index, global) in pickle.globals.enumerated() {
      let danger = DangerousNames.reason(of: index, in: pickle)
      let isRecognized = danger == nil && PyTorchGlobals.isRecognized(global)
      findings.append(
        Finding(
          module: global.module, name: global.name, pickle: name, offset: global.offset,
          fileOffset: offset.map { $0 + global.offset }, isRecognized: isRecognized,
          danger: danger, calls: danger == nil ? [] : calls.texts[index] ?? [],
          tensors: isRecognized ? [] : dependents[index] ?? []))
    }
    guard depth < Self.maxDepth else { return }
    for (name, bytes) in calls.nested {
      let inner = pickle.content(bytes, name: name)
      reading(name) { scan throws(CheckpointError) in
        try scan.readIfPickled(inner, as: name, at: nil, depth: depth + 1)
      }
    }
  }

  /// Deepest nesting of archives in archives, and pickles in pickles.
  static let maxDepth = 4

  /// The tensors that depend on each name, by the name's index among the pickle's globals.
  private static func dependents(
    _ pickle: Pickle, _ tensors: [String: PyTorchTensor]
  ) -> [Int: [TensorName]] {
    if pickle.values.isEmpty { return [:] }
    let tree = PyTorchTree(PyTorchTensorDecoder(pickle: pickle, outside: tensors))
    guard let leaves = try? tree.leaves(pickle.root, prefix: "") else { return [:] }
    var dependents: [Int: [TensorName]] = [:]
    for leaf in leaves {
      let name = TensorName(leaf.name.isEmpty ? "tensor" : leaf.name)
      let makers = leaf.makers.compactMap { pickle.object($0)?.callee }
      for index in names(makers + [leaf.reference], in: pickle) {
        dependents[index, default: []].append(name)
      }
    }
    return dependents
  }

  /// The indices of unrecognized names among values and everything that these contain.
  private static func names(_ values: [Pickle.Reference], in pickle: Pickle) -> [Int] {
    var indices: [Int] = []
    var seen: Set<Pickle.Reference> = []
    var pending = values
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      if case .global(let index) = pickle[value],
        !PyTorchGlobals.isRecognized(pickle.globals[index])
      {
        indices.append(index)
      }
      pickle.forEachChild(of: value) { pending.append($0) }
    }
    return indices.sorted()
  }
}
