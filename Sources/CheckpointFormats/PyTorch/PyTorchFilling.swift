import ByteIO
import ParallelWork
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
      return try sharded(fill, try probe.member(index))
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
  private let output: Output

  /// How the copy is written.
  private enum Output {
    case archive(ArchiveCopy)
    case file(PatchedCopy)
  }

  /// Whether every offset in the copy is what it was.
  var keepsSize: Bool { if case .archive(let copy) = output { copy.keepsSize } else { true } }

  /// Decides what changes.
  init(of file: PyTorchFile, with fill: Fill) throws {
    let (opened, numbers, others) = try file.tensors(key: fill.key)
    let known = Set(opened.map(\.name) + numbers.map(\.name))
    if let made = fill.tensors.keys.filter({ !known.contains($0) }).min() {
      throw CheckpointError(
        .unsupported,
        "is not one tensor of the file that can be filled (a constant of code, or joined from slices); "
          + "write another format with -o", tensor: made.text)
    }
    for number in numbers {
      guard let new = fill.tensors[number.name], try !new.hasBytes(of: number) else { continue }
      throw CheckpointError(
        .unsupported,
        "is a number inside the pickle, which cannot be replaced there; write the tensors to "
          + "another format with ckpt convert", tensor: number.name.text)
    }
    var parts: [TensorName: [PyTorchPatches.Part]] = [:]
    for (name, tensor) in opened {
      guard let entry = fill.tensors[name] else { continue }
      guard tensor.storage.pickled == nil else {
        throw CheckpointError(
          .unsupported,
          "is an array inside the pickle, which cannot be replaced there; write the tensors to "
            + "another format with ckpt convert", tensor: name.text)
      }
      parts[TensorName(tensor.storage.key), default: []].append(.init(tensor: tensor, entry: entry))
    }
    var patches: [(storage: PyTorchStorage, patches: PyTorchPatches)] = []
    for (key, parts) in parts.sorted(by: { $0.key < $1.key }) {
      guard let storage = file.storages[key] else { continue }
      patches.append((storage, try PyTorchPatches(parts, in: storage)))
    }
    switch file.container {
    case .file(let source):
      var copy = PatchedCopy(of: source)
      for (storage, patches) in patches {
        guard case .range(let range) = storage.location else { continue }
        for patch in patches.patches {
          copy.replace(at: range.lowerBound + patch.offset, with: patch.entry)
        }
      }
      output = .file(copy)
      losses = fill.lostMetadata(where: "legacy PyTorch files have")
    case .archive(let archive, let folder):
      var copy = try ArchiveCopy(
        of: archive, replacing: patches.compactMap { $0.storage.member }, recording: fill.metadata,
        in: folder)
      copy.setFingerprint(fill.fingerprint)
      for (storage, patches) in patches {
        guard let member = storage.member else { continue }
        if !patches.isWhole { copy.keepsSome(of: member) }
        let start = copy.start(of: member)
        for patch in patches.patches {
          copy.contents.replace(at: start + patch.offset, with: patch.entry)
        }
      }
      output = .archive(copy)
    }
    losses += Self.sharing(parts, opened, others)
  }

  /// Writes the copy.
  func write(to sink: ByteSink, threads: Int) async throws {
    switch output {
    case .archive(let copy): try await copy.write(to: sink, threads: threads)
    case .file(let copy): try await copy.write(to: sink, threads: threads)
    }
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
