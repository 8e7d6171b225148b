import ByteIO
import Strided
import TensorCore

/// Filling the affected files of a distributed checkpoint: the archives of tensors' parts keep their
/// sizes, so that the metadata stays true.
enum DistributedFilling {
  /// An archive in a file, and its copy.
  private struct Part: Sendable {
    let range: Range<Int>
    let copy: PyTorchCopy
  }

  /// Decides what changes.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let checkpoint = try DistributedCheckpoint(fill.template)
    var files: [TensorName: (file: DistributedFile, parts: [Part])] = [:]
    for (name, entry) in fill.tensors.sorted(by: { $0.key < $1.key }) {
      let full = fill.key.map { TensorName("\($0).\(name)") } ?? name
      let chunks = try checkpoint.chunks(of: full)
      _ = try BoxedTensor(entry.info, chunks.map(\.box))  // checks that they make up the tensor
      for chunk in chunks {
        let archive = chunk.archive
        try CheckpointError.placing(
          path: fill.template.folder.path(of: archive.file.name), tensor: name.text
        ) {
          let part = Part(range: archive.range, copy: try copy(chunk, of: entry, fill))
          files[TensorName(archive.file.name), default: (archive.file, [])].parts.append(part)
        }
      }
    }
    var filled = FilledFiles([])
    filled.main = DistributedCheckpoint.metadataName
    for (name, (file, parts)) in files.sorted(by: { $0.key < $1.key }) {
      let source = try file.open()
      let parts = parts.sorted { $0.range.lowerBound < $1.range.lowerBound }
      for (first, second) in zip(parts, parts.dropFirst())
      where first.range.upperBound > second.range.lowerBound {
        throw CheckpointError(
          .malformed, "the parts of two tensors share bytes", path: source.name,
          offset: second.range.lowerBound)
      }
      filled.files.append(
        .init(name.text) { sink in
          var end = 0
          for part in parts {
            try sink.append(end..<part.range.lowerBound, of: source)
            try await part.copy.write(to: sink, threads: fill.threads)
            end = part.range.upperBound
          }
          try sink.append(end..<source.size, of: source)
        })
    }
    filled.losses = fill.lostMetadata(where: "distributed checkpoints have")
    return filled
  }

  /// The copy of a part's archive with the elements of a tensor that are in that part.
  private static func copy(
    _ chunk: DistributedCheckpoint.Chunk, of entry: Checkpoint.Entry, _ fill: Fill
  ) throws -> PyTorchCopy {
    let info = try TensorInfo(dtype: entry.info.dtype, shape: chunk.sizes)
    var offset = 0
    for (size, index) in zip(entry.info.shape, chunk.offsets) { offset = offset * size + index }
    let layout = try StridedLayout(
      info, strides: entry.info.shape.contiguousStrides, offset: info.byteCount == 0 ? 0 : offset)
    let source = try chunk.archive.file.open().part(chunk.archive.range)
    let file = try DistributedArchive.contents(of: source)
    let entries = try file.contents(key: nil).checkpoint.entries
    guard entries.count == 1, entries[0].info == info else {
      throw CheckpointError(.mismatched, "expected the part \(chunk.sizes) of a tensor here")
    }
    var part = fill
    (part.key, part.metadata) = (nil, [:])
    part.tensors = [
      entries[0].name: Checkpoint.Entry(
        entries[0].name, info, gathering: StridedView(layout), from: entry)
    ]
    let copy = try PyTorchCopy(of: file, with: part)
    guard copy.keepsSize else {
      throw CheckpointError(
        .unsupported, "expected a stored tensor in a distributed checkpoint, found a deflated one")
    }
    return copy
  }
}
