public import ByteIO
public import TensorCore

/// Every class and function that a file's pickles name, whether it is recognized, and which tensors
/// depend on unrecognized ones.
///
/// Nothing is run or imported. That a name is recognized means that this reader expects it in
/// checkpoints; it says nothing about what the pickle would do in Python.
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
  public private(set) var notes: [String] = []

  /// Reads the pickles of a file written by any version of `torch.save`, of a distributed checkpoint's
  /// folder, of any zip archive, or of a file of pickles.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when a pickle cannot be read to its end, or there is
  ///   none.
  public init(_ probe: FileProbe) throws {
    do throws(CheckpointError) {
      try read(probe)
      guard !pickles.isEmpty else {
        throw CheckpointError(.missing, "contains no pickle")
      }
    } catch {
      throw error.adding(path: probe.path)
    }
  }

  private mutating func read(_ candidate: FileProbe) throws(CheckpointError) {
    if candidate.members != nil {
      guard DistributedCheckpoint.recognizes(candidate) else { return }
      let folder = try DistributedCheckpoint(candidate)
      add(folder.pickle, as: DistributedCheckpoint.metadataName, at: 0)
      for (name, range) in folder.fileRanges {
        let part = try folder.file(named: name).part(range)
        let archive = try ZipArchive(part, zeroMeansNoSum: true)
        try readArchive(archive, at: range.lowerBound, as: "\(name)@\(range.lowerBound)/")
      }
      return
    }
    let file = try candidate.source
    switch PyTorchFile.kind(of: candidate.head) {
    case .archive: try readArchive(PyTorchArchive.opened(candidate), at: 0, as: "")
    case .stream, .tar:
      let opened = try PyTorchFile.opened(candidate)
      for (name, offset, pickle) in opened.otherPickles {
        add(pickle, as: name, at: offset)
      }
      add(opened.pickle, as: "object", at: opened.pickleOffset, tensors: opened.tensors)
    case .pickle, nil: try readPickles(file, as: "pickle")
    }
  }

  /// A file of one pickle after another.
  private mutating func readPickles(_ file: ByteSource, as name: String) throws(CheckpointError) {
    var stream = PickleStream(file)
    var number = 1
    while stream.position < file.size {
      let start = stream.position
      do throws(CheckpointError) {
        add(try stream.next(), as: number == 1 ? name : "\(name) \(number)", at: start)
      } catch {
        if number == 1 { throw error }
        notes.append("\(file.size - start) bytes after \(name) \(number - 1) are not a pickle")
        return
      }
      number += 1
    }
  }

  private mutating func readArchive(
    _ archive: ZipArchive, at start: Int, as prefix: String
  ) throws(CheckpointError) {
    for member in archive.members where try Self.mayBePickle(member, in: archive) {
      let bytes = try archive.bytes(member, limit: Pickle.maxSize)
      let offset = member.method == .stored ? start + member.dataOffset : nil
      let pickle: Pickle
      do throws(CheckpointError) {
        pickle = try Pickle(bytes)
      } catch {
        throw CheckpointError(
          error.code, "\(prefix)\(member.name): \(error.message)",
          offset: offset.map { $0 + (error.offset ?? 0) })
      }
      add(pickle, as: prefix + member.name.text, at: offset)
      if pickle.end < bytes.count {
        notes.append("\(bytes.count - pickle.end) bytes follow the pickle in \(member.name)")
      }
    }
  }

  /// Whether a member is named like a pickle, or begins like one and is not a storage.
  private static func mayBePickle(
    _ member: ZipMember, in archive: ZipArchive
  ) throws(CheckpointError) -> Bool {
    let name = member.name.text
    if name.hasSuffix(".pkl") || name.hasSuffix(".pickle") { return true }
    if name.contains("/data/") || name.contains("/constants/") || member.size < 4 { return false }
    let head = try [UInt8](count: 2) { target throws(CheckpointError) in
      try archive.read(member, at: 0, into: &target)
    }
    return head[0] == 0x80 && head[1] <= 5
  }

  private mutating func add(
    _ pickle: Pickle, as name: String, at offset: Int?, tensors: [String: PyTorchTensor] = [:]
  ) {
    pickles.append(name)
    let dependents = Self.dependents(pickle, tensors)
    for (index, global) in pickle.globals.enumerated() {
      let isRecognized = PyTorchGlobals.isRecognized(global)
      findings.append(
        Finding(
          module: global.module, name: global.name, pickle: name, offset: global.offset,
          fileOffset: offset.map { $0 + global.offset }, isRecognized: isRecognized,
          tensors: isRecognized ? [] : dependents[index] ?? []))
    }
  }

  /// The tensors that depend on each name, by the name's index among the pickle's globals.
  private static func dependents(
    _ pickle: Pickle, _ tensors: [String: PyTorchTensor]
  ) -> [Int: [TensorName]] {
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
