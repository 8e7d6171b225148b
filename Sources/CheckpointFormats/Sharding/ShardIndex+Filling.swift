import ByteIO
import JSONText
import TensorCore

/// Filling some files of several with an index.
extension ShardIndex {
  /// Divides a fill among the files; those without a new tensor are not touched.
  ///
  /// `fill` gives the writer of a copy of one file. Texts go to the index, whose word counts where
  /// files contradict each other.
  func filled(
    _ fill: Fill, _ index: FileProbe,
    with copy: (ByteSource, Fill) throws -> @Sendable (ByteSink) async throws -> Void
  ) throws -> FilledFiles {
    var parts: [TensorName: [TensorName: Checkpoint.Entry]] = [:]
    var files: [String] = []
    for (tensor, file) in weightMap {
      if parts.updateValue(parts[TensorName(file)] ?? [:], forKey: TensorName(file)) == nil {
        files.append(file)
      }
      parts[TensorName(file)]?[tensor] = fill.tensors[tensor]
    }
    let indexed = Set(weightMap.map(\.tensor))
    if let unnamed = fill.tensors.keys.filter({ !indexed.contains($0) }).min() {
      throw CheckpointError(
        .unsupported, "is in one of the files, but not in their index; fill that file",
        tensor: unnamed.text)
    }
    var filled = FilledFiles([])
    (filled.main, filled.isIndexed) = (index.name, true)
    for file in files {
      guard let tensors = parts[TensorName(file)], !tensors.isEmpty else {
        filled.unchanged.append(file)
        continue
      }
      var part = fill
      part.tensors = tensors
      part.metadata = [:]
      part.fingerprint = fill.shardFingerprints[file]
      try CheckpointError.placing(path: place.path(of: file)) {
        filled.files.append(.init(file, write: try copy(try place.open(file), part)))
      }
    }
    let source = try index.source
    let old = try source.bytes(0..<source.size)
    let new = try JSONScanner.setting(fill.metadata, in: "metadata", of: old)
    if new == old {
      filled.unchanged.append(index.name)
    } else {
      filled.files.append(.init(index.name) { try $0.append(new.rawBytes) })
    }
    return filled
  }
}
