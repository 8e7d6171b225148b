import ByteIO
import JSONText
import TensorCore

/// Filling a copy of a GGUF file, or of the affected parts of a split one.
extension GGUF {
  /// Decides what changes; texts go to the first part, whose metadata count first.
  static func fill(_ fill: Fill) throws(CheckpointError) -> FilledFiles {
    let probes = try parts(of: fill.template)
    var filled = FilledFiles([])
    filled.main = probes.first?.name
    for (number, probe) in probes.enumerated() {
      var part = fill
      if number > 0 { (part.metadata, part.fingerprint) = ([:], nil) }
      if let file = try file(probe, part) {
        filled.files.append(file)
      } else {
        filled.unchanged.append(probe.name)
      }
    }
    return filled
  }

  /// The copy of one file; `nil` if nothing in it changes.
  private static func file(
    _ probe: FileProbe, _ fill: Fill
  ) throws(CheckpointError) -> FilledFiles.File? {
    try CheckpointError.placing(path: probe.path) { () throws(CheckpointError) in
      let source = try probe.source
      let header = try GGUFHeader(of: source)
      guard !header.isBigEndian else {
        throw CheckpointError(
          .unsupported, "big-endian files are not filled; convert it to .gguf first")
      }
      var copy = PatchedCopy(of: source)
      var isChanged = try set(fill.texts, header, in: &copy, size: source.size)
      for tensor in header.tensors {
        guard let entry = fill.tensors[tensor.name] else { continue }
        copy.replace(at: tensor.start, with: entry)
        isChanged = true
      }
      guard isChanged else { return nil }
      let patched = copy
      return FilledFiles.File(probe.name) {
        try await patched.write(to: $0, threads: fill.threads)
      }
    }
  }

  /// Sets texts, new ones after the last value; returns whether that changes anything.
  private static func set(
    _ texts: [String: String], _ header: GGUFHeader, in copy: inout PatchedCopy, size: Int
  ) throws(CheckpointError) -> Bool {
    var added: [UInt8] = []
    var (addedCount, growth) = (0, 0)
    for (key, text) in texts.sorted(by: { TensorName($0.key) < TensorName($1.key) }) {
      let item = try GGUFMetadata.bytes([
        (named: Checkpoint.Named(key, .text(text)), kind: GGUFKind.text)
      ])
      if let old = header.values.first(where: { TensorName($0.key) == TensorName(key) }) {
        copy.replace(old.range, with: item)
        growth += item.count - old.range.count
      } else {
        added += item
        addedCount += 1
      }
    }
    if texts.isEmpty { return false }
    if addedCount > 0 {
      var count: [UInt8] = []
      count.appendLittleEndian(UInt64(header.values.count + addedCount))
      copy.replace(16..<24, with: count)  // after magic, version, and number of tensors
      copy.replace(header.valuesEnd..<header.valuesEnd, with: added)
      growth += added.count
    }
    let newEnd = header.end + growth
    guard newEnd <= maxHeaderSize, let start = aligned(header.end, to: header.alignment),
      let newStart = aligned(newEnd, to: header.alignment)
    else {
      throw CheckpointError(
        .unsupported, "expected a header of at most \(maxHeaderSize) bytes, found \(newEnd)")
    }
    // Without tensors the file may end where the header does.
    copy.replace(
      header.end..<min(start, size), with: [UInt8](repeating: 0, count: newStart - newEnd))
    return true
  }
}
