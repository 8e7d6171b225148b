import ByteIO
import Synchronization
import TensorCore

/// A folder of `torch.distributed.checkpoint`: `.metadata`, a pickle that tells where the parts of
/// each tensor are, and files in which each part is a `torch.save` archive.
///
/// Source: torch 2.15 `distributed/checkpoint/metadata.py`, `filesystem.py`.
struct DistributedCheckpoint {
  static let metadataName = ".metadata"
  private static let ending = ".distcp"

  /// A part of a tensor, as a box, and the archive that holds it.
  struct Chunk: Sendable {
    let offsets: [Int]
    let sizes: [Int]
    let archive: DistributedArchive

    /// The part as a box of its tensor.
    var box: BoxedTensor.Box {
      BoxedTensor.Box(offsets: offsets, sizes: sizes) { [archive] in try archive.entry($0) }
    }
  }

  /// The content of `.metadata`.
  let pickle: Pickle
  /// The byte ranges of files that are archives, in the metadata's order.
  private(set) var fileRanges: [(file: String, range: Range<Int>)] = []
  private let members: Set<TensorName>
  private let place: Place
  private let source: ByteSource
  private var archives: [PartKey: DistributedArchive] = [:]
  private var files: [TensorName: DistributedFile] = [:]
  /// The archives of values that are not tensors.
  private var values: [TensorName: DistributedArchive] = [:]

  private struct PartKey: Hashable {
    let name: TensorName
    let offsets: [Int]
  }

  static func recognizes(_ candidate: FileProbe) -> Bool {
    guard let members = candidate.members else { return false }
    return members.contains(metadataName) && !candidate.members(endingIn: ending).isEmpty
  }

  init(_ folder: FileProbe) throws(CheckpointError) {
    let index = try folder.member(Self.metadataName)
    members = Set((folder.members ?? []).map { TensorName($0) })
    place = index.neighbors
    source = try index.source
    do throws(CheckpointError) {
      var stream = PickleStream(source)
      pickle = try stream.next()
      guard let storage = state(pickle.root, "storage_data").flatMap(pickle.items) else {
        throw CheckpointError(.malformed, "the metadata has no storage_data")
      }
      for (key, value) in storage { try addArchive(key, value) }
    } catch {
      throw error.adding(path: index.path)
    }
  }

  /// What errors call the metadata.
  private var metadataPath: String { place.path(of: Self.metadataName) }

  /// A file of parts, opened once.
  func file(named name: String) throws(CheckpointError) -> ByteSource {
    if let file = files[TensorName(name)] { return try file.open() }
    return try place.open(name)
  }

  /// The tensors of the folder, or of the part of it that `key` names.
  func contents(key: String?) throws(CheckpointError) -> Opened {
    guard let items = state(pickle.root, "state_dict_metadata").flatMap(pickle.items) else {
      throw CheckpointError(
        .malformed, "the metadata has no state_dict_metadata", path: metadataPath)
    }
    var entries: [Checkpoint.Entry] = []
    var others: [Checkpoint.Named] = []
    for (name, value) in items {
      guard let text = pickle.text(name) else { continue }
      guard state(value, "chunks") != nil else {
        others.append(
          Checkpoint.Named(
            text, values[TensorName(text)]?.value ?? .unread("missing from the files")))
        continue
      }
      try CheckpointError.placing(
        entries.append(entry(TensorName(text), value)), path: metadataPath, tensor: text)
    }
    var opened = Opened(Checkpoint(entries: entries, values: others))
    try choose(key, from: &opened)
    return opened
  }

  // MARK: - Parts

  /// Selects the model's tensors if the first components of names tell which they are.
  private func choose(_ key: String?, from opened: inout Opened) throws(CheckpointError) {
    func first(_ entry: Checkpoint.Entry) -> String {
      String(entry.name.text.prefix { $0 != "." })
    }
    var groups: [(key: String, entries: [Checkpoint.Entry])] = []
    for entry in opened.checkpoint.entries {
      if let index = groups.firstIndex(where: { $0.key == first(entry) }) {
        groups[index].entries.append(entry)
      } else {
        groups.append((first(entry), [entry]))
      }
      if groups.count > 64 { break }
    }
    // More first components than that are the model's own modules, and not the parts of a trainer's
    // state.
    guard groups.count <= 64, groups.contains(where: { PyTorchParts.modelKeys.contains($0.key) })
    else { return }
    var isOpened = groups.map { !PyTorchParts.isTraining($0.key) }
    if let key {
      guard let index = groups.firstIndex(where: { $0.key == key }) else {
        throw Opened.unknownPart(key, known: groups.map(\.key))
      }
      isOpened = groups.indices.map { $0 == index }
      opened.checkpoint.entries = groups[index].entries.map { entry in
        var entry = entry
        entry.name = TensorName(String(entry.name.text.dropFirst(key.count + 1)))
        return entry
      }
    } else {
      opened.checkpoint.entries = zip(groups, isOpened).flatMap { $1 ? $0.entries : [] }
    }
    opened.parts = []
    for (group, isOpened) in zip(groups, isOpened) {
      opened.parts.append(
        Opened.Part(
          key: group.key, tensorCount: group.entries.count,
          byteCount: try group.entries.total().byteCount, isOpened: isOpened))
    }
    let others = opened.parts.filter { !$0.isOpened }.map(\.key).joined(separator: ", ")
    if key == nil, !others.isEmpty {
      opened.notes.append("the folder also holds \(others): use --key to select a part")
    }
  }

  // MARK: - Metadata

  /// A field of an object of the metadata.
  private func state(_ reference: Pickle.Reference, _ field: String) -> Pickle.Reference? {
    pickle.object(reference)?.state.flatMap { pickle.item($0, field) }
  }

  private func sizes(_ reference: Pickle.Reference?) throws(CheckpointError) -> [Int] {
    guard let reference else { throw PyTorchTensorDecoder.refused("a size", "nothing") }
    return try PyTorchTensorDecoder(pickle: pickle).sizes(reference)
  }

  private mutating func addArchive(
    _ key: Pickle.Reference, _ value: Pickle.Reference
  ) throws(CheckpointError) {
    guard let name = state(key, "fqn").flatMap(pickle.text),
      let path = state(value, "relative_path").flatMap(pickle.text),
      let offset = state(value, "offset").flatMap(pickle.int),
      let length = state(value, "length").flatMap(pickle.int), offset >= 0, length >= 0
    else { throw PyTorchTensorDecoder.refused("the location of a part", "something else") }
    guard members.contains(TensorName(path)) else {
      throw CheckpointError(.missing, "file '\(path)' is not in the folder", tensor: name)
    }
    let file: DistributedFile
    if let known = files[TensorName(path)] {
      file = known
    } else {
      file = DistributedFile(path, in: place, index: source)
      files[TensorName(path)] = file
    }
    let (end, overflow) = offset.addingReportingOverflow(length)
    guard !overflow else { throw CheckpointError(.malformed, "overflow: the end of a part") }
    fileRanges.append((path, offset..<end))
    // Values that are not tensors have no position in one.
    guard let origin = state(key, "offset"), let offsets = try? sizes(origin) else {
      values[TensorName(name)] = DistributedArchive(file, offset..<end)
      return
    }
    archives[PartKey(name: TensorName(name), offsets: offsets)] = DistributedArchive(
      file, offset..<end)
  }

  private func entry(
    _ name: TensorName, _ value: Pickle.Reference
  ) throws(CheckpointError) -> Checkpoint.Entry {
    let properties = state(value, "properties").flatMap { pickle.object($0)?.state }
    // `TensorProperties` pickles itself as a tuple, dtype first; a dictionary of fields is read as
    // well.
    let dtype = properties.flatMap { pickle.elements($0)?.first ?? pickle.item($0, "dtype") }
      .flatMap(pickle.global)
    guard let global = dtype, let dtype = PyTorchGlobals.dtype(global), dtype.isComputable else {
      throw CheckpointError(
        .unsupported, "unsupported dtype \(dtype?.shownName ?? "(not a torch dtype)")")
    }
    let info = try TensorInfo(dtype: dtype, shape: try sizes(state(value, "size")))
    let reader = try BoxedTensor(info, try chunks(of: name, value).map(\.box))
    return Checkpoint.Entry(name: name, info: info) { range, target in
      try reader.read(range, into: &target)
    }
  }

  /// The parts of a tensor by its name in the metadata, and its type and shape.
  func chunks(of name: TensorName) throws(CheckpointError) -> [Chunk] {
    let items = state(pickle.root, "state_dict_metadata").flatMap(pickle.items) ?? []
    for (key, value) in items {
      if let text = pickle.text(key), TensorName(text) == name {
        return try chunks(of: name, value)
      }
    }
    throw CheckpointError(.missing, "is not in the metadata", tensor: name.text)
  }

  private func chunks(
    of name: TensorName, _ value: Pickle.Reference
  ) throws(CheckpointError) -> [Chunk] {
    var chunks: [Chunk] = []
    for chunk in state(value, "chunks").flatMap(pickle.elements) ?? [] {
      let offsets = try sizes(state(chunk, "offsets"))
      let sizes = try sizes(state(chunk, "sizes"))
      guard let archive = archives[PartKey(name: name, offsets: offsets)] else {
        throw CheckpointError(.malformed, "no file holds its part at \(offsets)")
      }
      chunks.append(Chunk(offsets: offsets, sizes: sizes, archive: archive))
    }
    return chunks
  }
}

/// The archive of one part, opened when it is read.
final class DistributedArchive: Sendable {
  /// The file that it is in.
  let file: DistributedFile
  /// Its bytes in the file.
  let range: Range<Int>
  private let opened: Mutex<Checkpoint.Entry?> = Mutex(nil)

  init(_ file: DistributedFile, _ range: Range<Int>) {
    self.file = file
    self.range = range
  }

  /// What the archive holds if it is not a tensor.
  var value: Value {
    do throws(CheckpointError) {
      let file = try Self.contents(of: try file.open().part(range))
      var values = PickleValues(PyTorchTree(PyTorchTensorDecoder(pickle: file.pickle)))
      return values.whole
    } catch {
      return .unread(error.message)
    }
  }

  /// What the archive holds.
  static func contents(of part: ByteSource) throws(CheckpointError) -> PyTorchFile {
    try PyTorchArchive.open(ZipArchive(part, zeroMeansNoSum: true))
  }

  /// The part as a tensor, which must be of this type and shape.
  func entry(_ info: TensorInfo) throws(CheckpointError) -> Checkpoint.Entry {
    try opened.withLock { opened throws(CheckpointError) in
      if let opened { return opened }
      let part = try file.open().part(range)
      do throws(CheckpointError) {
        let entries = try Self.contents(of: part).contents(key: nil).checkpoint.entries
        guard entries.count == 1, entries[0].info == info else {
          throw CheckpointError(
            .mismatched,
            "expected \(info.dtype.rawValue) \(info.shape) from the metadata, found "
              + (entries.first.map { "\($0.info.dtype.rawValue) \($0.info.shape)" } ?? "no tensor"))
        }
        opened = entries[0]
        return entries[0]
      } catch {
        var error = error
        if let offset = error.offset { error.offset = range.lowerBound + offset }
        throw error.adding(path: part.name, offset: range.lowerBound)
      }
    }
  }
}
