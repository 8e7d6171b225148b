import ByteIO
import TensorCore

/// Opening a GGUF file.
extension GGUF {
  /// Opens a file, a split file by any of its parts, or a folder that holds one of these.
  static func open(_ probe: FileProbe) throws -> Opened {
    let file = probe.members == nil ? probe : try member(of: probe)
    var opened = try join(file)
    let head = file.head
    if head.count >= 8, readVersions.contains(head.littleEndian(UInt32.self, at: 4).byteSwapped),
      let packed = opened.checkpoint.entries.first(where: { !$0.info.dtype.isComputable })
    {
      opened.notes.append(
        "big-endian: the blocks of quantized tensors (first: '\(packed.name)') are read as they are "
          + "stored, as gguf-py reads them")
    }
    if let stem = file.name.split(separator: "-00001-of-").first {
      let parts = probe.members(endingIn: ".gguf").filter { $0.hasPrefix(stem) }
      opened.notes += probe.othersNote(reading: parts)
    }
    opened.restoreFromTexts()
    GGUFShapes.restore(&opened)
    opened.restoreTies()
    opened.takeFingerprint()
    return opened
  }

  /// The only file of a folder, or the first part.
  private static func member(of folder: FileProbe) throws(CheckpointError) -> FileProbe {
    let files = folder.members(endingIn: ".gguf")
    let first = files.filter { $0.contains("-00001-of-") }
    guard let file = files.count == 1 ? files.first : first.first,
      files.count == 1 || first.count == 1
    else {
      throw CheckpointError(
        .unsupported, "is a folder of \(files.count) .gguf files; name one of them",
        path: folder.path)
    }
    return try folder.member(file)
  }

  /// One file's tensors, and its metadata.
  private static func read(
    _ file: ByteSource
  ) throws(CheckpointError) -> (values: [GGUFHeader.Value], entries: [Checkpoint.Entry]) {
    try CheckpointError.placing(path: file.name) { () throws(CheckpointError) in
      let header = try GGUFHeader(of: file)
      let entries = header.tensors.map { tensor in
        Checkpoint.Entry(name: tensor.name, info: tensor.info) { range, target in
          try file.read(at: tensor.start + range.lowerBound, into: &target)
        }.swapped(header.isBigEndian ? tensor.info.dtype.element.wordWidth : 1)
      }
      return (header.values, entries)
    }
  }

  // MARK: - Parts

  private static let partKeys = ["split.no", "split.count", "split.tensors.count"]

  /// The files of a checkpoint in the order of their numbers: one, or the parts of a split file.
  static func parts(of probe: FileProbe) throws(CheckpointError) -> [FileProbe] {
    let file = probe.members == nil ? probe : try member(of: probe)
    let values = try read(try file.source).values
    let part = number(values, "split.no") ?? 0
    guard let count = number(values, "split.count"), count > 1,
      let names = names(of: file.name, part: part, count: count)
    else { return [file] }
    var parts: [FileProbe] = []
    let neighbors = file.neighbors
    for (index, name) in names.enumerated() {
      parts.append(index == part ? file : try FileProbe(name, in: neighbors))
    }
    return parts
  }

  /// Opens a file and, if it is one of several parts, the others.
  private static func join(_ probe: FileProbe) throws(CheckpointError) -> Opened {
    let (values, entries) = try read(try probe.source)
    let count = number(values, "split.count") ?? 1
    guard count > 1 else {
      let values = try CheckpointError.placing(GGUFMetadata.values(values), path: probe.path)
      return Opened(Checkpoint(entries: entries, values: values))
    }
    let part = number(values, "split.no") ?? 0
    guard let names = names(of: probe.name, part: part, count: count) else {
      let own = try GGUFMetadata.values(values.filter { !isPartKey($0) })
      var lone = Opened(Checkpoint(entries: entries, values: own))
      lone.notes = [
        "is part \(part + 1) of \(count), but is not named like one; the other parts are not read"
      ]
      return lone
    }
    var all: [Checkpoint.Entry] = []
    let neighbors = probe.neighbors
    var metadata: [GGUFHeader.Value] = []
    for (index, name) in names.enumerated() {
      let (more, tensors) =
        index == part
        ? (values, entries) : try readPart(try neighbors.open(name), index, count)
      let known = Set(metadata.map { TensorName($0.key) })
      metadata += more.filter { !isPartKey($0) && !known.contains(TensorName($0.key)) }
      all += tensors
    }
    let joined = Checkpoint(entries: all, values: try GGUFMetadata.values(metadata))
    try CheckpointError.placing(path: probe.path) { () throws(CheckpointError) in
      try joined.checkNames()
      if let total = number(values, "split.tensors.count"), total != all.count {
        throw CheckpointError(
          .malformed,
          "expected \(total) tensors from split.tensors.count, found \(all.count) in \(count) parts"
        )
      }
    }
    return Opened(joined)
  }

  private static func readPart(
    _ file: ByteSource, _ index: Int, _ count: Int
  ) throws(CheckpointError) -> (values: [GGUFHeader.Value], entries: [Checkpoint.Entry]) {
    try CheckpointError.placing(path: file.name) { () throws(CheckpointError) in
      let part = try read(file)
      guard number(part.values, "split.no") == index, number(part.values, "split.count") == count
      else {
        throw CheckpointError(
          .mismatched, "is not part \(index + 1) of \(count), although its name says so")
      }
      return part
    }
  }

  /// The names of all parts, if a file is named like part `part` of `count`.
  private static func names(of name: String, part: Int, count: Int) -> [String]? {
    func ending(_ part: Int) -> String {
      ShardPlan.suffix(part + 1, of: count) + ".gguf"
    }
    guard (0..<count).contains(part), name.hasSuffix(ending(part)) else { return nil }
    let stem = name.dropLast(ending(part).count)
    return (0..<count).map { stem + ending($0) }
  }

  private static func isPartKey(_ value: GGUFHeader.Value) -> Bool { partKeys.contains(value.key) }

  /// A metadata value that is an integer from 0 to 65535; else `nil`.
  private static func number(_ values: [GGUFHeader.Value], _ key: String) -> Int? {
    guard case .integer(let number)? = values.first(where: { $0.key == key })?.value else {
      return nil
    }
    return (0...65_535).contains(number) ? number : nil
  }
}
