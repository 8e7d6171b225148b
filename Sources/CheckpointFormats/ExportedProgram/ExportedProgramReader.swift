import ByteIO
import JSONText
import Strided
import TensorCore

/// Collects the tensors of an exported program: those of the state dict, then constants.
struct ExportedProgramReader {
  private let archive: ZipArchive
  private var opened = Opened(Checkpoint(entries: []))
  private var names: Set<TensorName> = []
  private var firsts: [PyTorchTensor.Identity: TensorName] = [:]

  /// Largest description that is read, in bytes.
  private static let maxConfigBytes = 1 << 26

  init(_ archive: ZipArchive) { self.archive = archive }

  mutating func contents() throws(CheckpointError) -> Opened {
    if ExportedProgram.isOld(archive) {
      for name in ExportedProgram.oldMembers {
        for ending in ExportedProgram.oldEndings {
          guard let member = archive.member(named: TensorName(name + ending)) else { continue }
          try addSaved(member, prefix: "")
        }
      }
    } else {
      try readPackage(ExportedProgram.root(of: archive) ?? "")
    }
    for (path, name) in ExportedProgram.unread
    where archive.members.contains(where: { $0.size > 0 && $0.name.text.contains(path) }) {
      opened.checkpoint.values.append(Checkpoint.Named(name, .unread("a part of the program")))
    }
    let unsummed = archive.members.contains { !archive.hasSum($0) && $0.size > 0 }
    opened.coverage = unsummed ? .none : .tensors
    return opened
  }

  // MARK: - Packages

  /// Reads the descriptions of all models of a package; with several, names begin with the model's.
  private mutating func readPackage(_ root: String) throws(CheckpointError) {
    var models: Set<String> = []
    var found: [(model: String, folder: String, member: ZipMember, isConfig: Bool)] = []
    for (folder, config) in ExportedProgram.folders {
      for member in archive.members where member.name.text.hasPrefix(root + folder) {
        let name = String(member.name.text.dropFirst((root + folder).count))
        let isConfig = name.hasSuffix(config)
        // Before 2.9, one file of `torch.save` for each model.
        guard isConfig || name.hasSuffix(".pt"), !name.contains("/") else { continue }
        let model = String(name.dropLast(isConfig ? config.count : 3))
        models.insert(model)
        found.append((model, root + folder, member, isConfig))
      }
    }
    for (model, folder, member, isConfig) in found {
      let prefix = models.count > 1 ? model + "." : ""
      if isConfig {
        try readConfig(member, in: folder, prefix: prefix)
      } else {
        try addSaved(member, prefix: prefix)
      }
    }
    if found.isEmpty {
      opened.notes.append("the package has no weights; its compiled code is not read")
    }
  }

  /// Reads a description (`PayloadConfig`): the tensors by name, each a view of a member.
  private mutating func readConfig(
    _ member: ZipMember, in folder: String, prefix: String
  ) throws(CheckpointError) {
    let bytes = try archive.bytes(member, limit: Self.maxConfigBytes)
    let config: JSONValue
    do throws(CheckpointError) {
      config = try JSONValue(String(decoding: bytes, as: UTF8.self))
    } catch {
      throw CheckpointError(.malformed, "\(member.name): \(error.message)")
    }
    guard let members = config["config"]?.members else {
      throw CheckpointError(.malformed, "\(member.name): expected 'config', found \(config.kind)")
    }
    for (name, payload) in members {
      try CheckpointError.placing(
        add(payload, in: folder, named: TensorName(prefix + name)), tensor: prefix + name)
    }
  }

  /// Adds a tensor (`PayloadMeta`).
  private mutating func add(
    _ payload: JSONValue, in folder: String, named name: TensorName
  ) throws(CheckpointError) {
    guard let path = payload["path_name"]?.text else {
      throw CheckpointError(.malformed, "expected 'path_name', found \(payload.kind)")
    }
    guard let member = archive.member(named: TensorName(folder + path)) else {
      throw CheckpointError(
        .malformed, "expected a member '\((folder + path).shortened(to: 100))', found none")
    }
    if payload["use_pickle"]?.flag == true {
      return try addSaved(member, prefix: "", named: name)
    }
    guard let meta = payload["tensor_meta"], meta.members != nil else {
      // An object of a custom class, which only code could make again.
      return opened.addUnread(
        name.text, "an object",
        note: "'\(name)' is an object in '\(path)', which is not read; left out")
    }
    guard let number = meta["dtype"]?.integer, let dtype = ExportedProgram.types[number],
      meta["layout"]?.integer ?? ExportedProgram.stridedLayout == ExportedProgram.stridedLayout
    else {
      let kind = "a tensor of type \(meta["dtype"]?.integer ?? 0)"
      return opened.addUnread(
        name.text, kind, note: "'\(name)' is \(kind) or sparse, which is not read; left out")
    }
    let info = try TensorInfo(dtype: dtype, shape: try meta.integers("sizes"))
    let offset = try meta["storage_offset"].map { value throws(CheckpointError) in
      try value.symbolic
    }
    let layout = try StridedLayout(info, strides: try meta.integers("strides"), offset: offset ?? 0)
    guard layout.reach <= member.size else {
      throw CheckpointError(
        .malformed,
        "tensor extends to byte \(layout.reach) of '\(path.shortened(to: 80))', which has "
          + "\(member.size)")
    }
    let storage = PyTorchStorage(archive, member, isBigEndian: false)
    let reference = PyTorchStorageReference(
      key: folder + path, elementWidth: dtype.byteWidth, byteCount: member.size)
    let tensor = PyTorchTensor(storage: reference, info: info, layout: layout)
    try names.add(tensor: name)
    var entry = Checkpoint.Entry(name: name, info: info, reader: storage.reader(of: tensor))
    if layout.contiguousRange == nil { entry.preferredReadSize = StridedView.preferredReadSize }
    entry.alias = firsts[tensor.identity]
    if entry.alias == nil { firsts[tensor.identity] = name }
    opened.checkpoint.entries.append(entry)
  }

  // MARK: - Files of torch.save

  /// Adds what a file of `torch.save` inside the archive holds; a lone tensor gets a name.
  private mutating func addSaved(
    _ member: ZipMember, prefix: String, named name: TensorName? = nil
  ) throws(CheckpointError) {
    if member.size == 0 { return }
    do throws(CheckpointError) {
      let file = try content(of: member)
      let saved = try PyTorchFile.open(file).contents(key: nil)
      opened.notes += saved.notes
      let path = name.map { $0.text + "." } ?? prefix
      opened.checkpoint.values += saved.checkpoint.values.map {
        Checkpoint.Named(path + $0.name, $0.value)
      }
      for entry in saved.checkpoint.entries {
        var entry = entry
        entry.name = name ?? TensorName(prefix + entry.name.text)
        entry.alias = entry.alias.map { TensorName(prefix + $0.text) }
        try names.add(tensor: entry.name)
        opened.checkpoint.entries.append(entry)
      }
    } catch {
      // A dictionary without tensors is empty, not damaged.
      if error.code == .missing { return }
      throw CheckpointError(
        error.code, "\(member.name): \(error.message)", path: error.path, tensor: error.tensor,
        offset: error.offset)
    }
  }
}

extension ExportedProgramReader {
  private func content(of member: ZipMember) throws(CheckpointError) -> ByteSource {
    if let file = try archive.file(of: member) { return file }
    return try archive.unpacked(member)
  }
}

extension JSONValue {
  /// A `SymInt` that is a number: `{"as_int": 2}`.
  fileprivate var symbolic: Int {
    get throws(CheckpointError) {
      guard let number = self["as_int"]?.integer else {
        throw CheckpointError(.malformed, "expected a size 'as_int', found \(kind)")
      }
      return number
    }
  }

  fileprivate func integers(_ key: String) throws(CheckpointError) -> [Int] {
    guard let elements = self[key]?.elements else {
      throw CheckpointError(
        .malformed, "expected a list '\(key)', found \(self[key]?.kind ?? "none")")
    }
    var integers: [Int] = []
    for element in elements { integers.append(try element.symbolic) }
    return integers
  }
}
