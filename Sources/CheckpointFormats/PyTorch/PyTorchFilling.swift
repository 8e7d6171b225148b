import ByteIO
import JSONText
import Strided
import TensorCore

/// Filling a copy of a PyTorch file, of the affected ones of several with an index, or of a
/// distributed checkpoint's folder.
///
/// The pickle, and with it everything that is not a tensor, stays as it is.
enum PyTorchFilling {
  /// Decides what changes.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let probe = fill.template
    if probe.members != nil {
      if DistributedCheckpoint.recognizes(probe) { return try DistributedFilling.fill(fill) }
      guard let index = PyTorchFormat.index(in: probe) else {
        throw CheckpointError(.system, "expected one shard index in this folder, found none")
      }
      return try sharded(fill, try FileProbe(index, in: probe.folder))
    }
    if PyTorchFormat.isIndex(probe) { return try sharded(fill, probe) }
    let copy = try PyTorchCopy(of: try PyTorchFile.opened(probe), with: fill)
    var filled = FilledFiles(probe.name) { try await copy.write(to: $0, threads: fill.threads) }
    filled.losses = copy.losses
    return filled
  }

  private static func sharded(_ fill: Fill, _ index: FileProbe) throws -> FilledFiles {
    var losses: [String] = []
    var filled = try ShardIndex(index).filled(fill, index) { source, part in
      let copy = try PyTorchCopy(of: try PyTorchFile.open(source), with: part)
      losses += copy.losses
      return { try await copy.write(to: $0, threads: part.threads) }
    }
    filled.losses += losses
    return filled
  }
}

/// A copy of one file of `torch.save` with new elements for some tensors.
struct PyTorchCopy: Sendable {
  /// What cannot be stored, and what changes besides the tensors that were asked for, one sentence
  /// each.
  private(set) var losses: [String] = []
  private var contents: PatchedCopy
  /// The archive's copy, of which the contents are the members'; `nil` for a file that is patched.
  private var archive: ZipCopy?
  /// Members of which some bytes stay.
  private var kept: [ZipMember] = []
  /// Whether every offset in the copy is what it was.
  private(set) var keepsSize = true
  private let source: PyTorchFile

  /// Decides what changes.
  init(of file: PyTorchFile, with fill: Fill) throws {
    source = file
    let (opened, others) = try file.tensors(key: fill.key)
    var parts: [TensorName: [PyTorchPatches.Part]] = [:]
    for (name, tensor) in opened {
      guard let entry = fill.tensors[name] else { continue }
      parts[TensorName(tensor.storage.key), default: []].append(.init(tensor: tensor, entry: entry))
    }
    var patches: [(storage: PyTorchStorage, patches: PyTorchPatches)] = []
    for (key, parts) in parts.sorted(by: { $0.key < $1.key }) {
      guard let storage = file.storages[key] else { continue }
      patches.append((storage, try PyTorchPatches(parts, in: storage)))
    }
    switch file.container {
    case .file(let source):
      contents = PatchedCopy(of: source)
      losses = fill.lostMetadata(where: "legacy PyTorch files have")
      for (storage, patches) in patches {
        guard case .range(let range) = storage.location else { continue }
        for patch in patches.patches {
          contents.replace(at: range.lowerBound + patch.offset, with: patch.entry)
        }
      }
    case .archive(let archive, let folder):
      let name = TensorName(folder + PyTorchArchive.metadataName)
      let (member, text) = (archive.member(named: name), file.metadata(with: fill.metadata))
      var members = patches.compactMap { $0.storage.member }
      if text != nil, let member { members.append(member) }
      keepsSize = text == nil && members.allSatisfy { $0.method == .stored }
      var copy = try ZipCopy(of: archive, replacing: members)
      contents = PatchedCopy(of: copy.contents)
      for (storage, patches) in patches {
        guard let member = storage.member else { continue }
        if !patches.isWhole { kept.append(member) }
        let start = copy.range(of: member).lowerBound
        for patch in patches.patches {
          contents.replace(at: start + patch.offset, with: patch.entry)
        }
      }
      if let text, let member {
        try copy.resize(member, to: text.count)
        contents.replace(copy.range(of: member), with: text)
      } else if let text {
        copy.add(name, text)
      }
      self.archive = copy
    }
    losses += Self.sharing(parts, opened, others)
  }

  /// Writes the copy.
  func write(to sink: ByteSink, threads: Int) async throws {
    guard let archive, case .archive(let source, _) = source.container else {
      return try await contents.write(to: sink, threads: threads)
    }
    // What is kept of a member gets a new CRC-32.
    for member in kept { try source.verify(member) }
    try await archive.write(to: sink) { try await contents.write(to: $0, threads: threads) }
  }

  /// Sentences about tensors that were not asked for and share bytes with those that were.
  private static func sharing(
    _ parts: [TensorName: [PyTorchPatches.Part]],
    _ opened: [(name: TensorName, tensor: PyTorchTensor)],
    _ others: [(part: String, tensors: [(name: TensorName, tensor: PyTorchTensor)])]
  ) -> [String] {
    func shares(_ tensor: PyTorchTensor) -> PyTorchPatches.Part? {
      parts[TensorName(tensor.storage.key)]?.first { part in
        part.tensor.extent.overlaps(tensor.extent)
      }
    }
    let filled = Set(parts.values.joined().map(\.tensor.identity))
    let inside = opened.filter { !filled.contains($0.tensor.identity) && shares($0.tensor) != nil }
    var sentences = sentence(inside.map(\.name), of: nil)
    for (part, tensors) in others {
      sentences += sentence(tensors.filter { shares($0.tensor) != nil }.map(\.name), of: part)
    }
    return sentences
  }

  private static func sentence(_ names: [TensorName], of part: String?) -> [String] {
    guard let first = names.first else { return [] }
    let owner = part.map { " of '\($0)'" } ?? ""
    return [
      names.count == 1
        ? "tensor '\(first)'\(owner) shares its storage with filled ones and may change with them"
        : "\(names.count) tensors\(owner) share their storages with filled ones and may change "
          + "with them, first '\(first)'"
    ]
  }
}

extension PyTorchStorage {
  /// The member of an archive that it is, if it is one.
  fileprivate var member: ZipMember? {
    if case .member(let member) = location { member } else { nil }
  }
}

extension PyTorchTensor {
  /// The bytes of the storage's record from its first element to the end of its last one.
  fileprivate var extent: Range<Int> {
    storage.viewOffset + layout.start..<storage.viewOffset + max(layout.start, layout.reach)
  }
}

extension PyTorchFile {
  /// The new content of our own member when these texts are set; `nil` if they are there already.
  fileprivate func metadata(with texts: [String: String]) -> [UInt8]? {
    let new = metadata.merging(texts) { _, new in new }
    if new == metadata { return nil }
    var json = JSONWriter()
    json.object { $0.members(new) }
    return json.bytes
  }
}
