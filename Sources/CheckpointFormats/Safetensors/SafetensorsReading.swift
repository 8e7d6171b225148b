import ByteIO
import TensorCore

/// Opening a safetensors file: its header, then entries that read by offset.
extension Safetensors {
  /// Opens a file; tensors are in the order in which the header names them.
  static func read(_ file: ByteSource) throws -> Opened {
    try CheckpointError.placing(path: file.name) { () throws(CheckpointError) in
      let header = try SafetensorsHeader(of: file)
      var checkpoint = Checkpoint(entries: [], metadata: header.metadata)
      checkpoint.entries.reserveCapacity(header.tensors.count)
      for tensor in header.tensors {
        let start = header.dataStart + tensor.range.lowerBound
        checkpoint.entries.append(
          Checkpoint.Entry(name: tensor.name, info: tensor.info) { range, target in
            try file.read(at: start + range.lowerBound, into: &target)
          })
      }
      // The mark says how the file is laid out, not what is in it; every file that is written gets it.
      if checkpoint.metadata[formatMark.key] == formatMark.value {
        checkpoint.setText(nil, for: formatMark.key)
      }
      var opened = Opened(checkpoint)
      opened.restoreFromTexts()
      opened.restoreTies()
      opened.takeFingerprint()
      return opened
    }
  }
}

extension Opened {
  /// Says which tensors `huggingface_hub` has left out because they are tied to another.
  ///
  /// It records them as metadata, `lm_head.weight: embed.weight`, but does so for a slice of the
  /// other, too, so that nothing can be made of it.
  mutating func noteTiesWrittenOut() {
    if checkpoint.metadata.isEmpty { return }
    let names = Set(checkpoint.entries.map(\.name))
    let omitted = checkpoint.metadata.filter {
      names.contains(TensorName($0.value)) && !names.contains(TensorName($0.key))
    }
    for (name, original) in omitted.sorted(by: { TensorName($0.key) < TensorName($1.key) }) {
      notes.append(
        "tensor '\(name)' was left out by the file's writer, which treated it as tied to '\(original)'"
      )
    }
  }
}
