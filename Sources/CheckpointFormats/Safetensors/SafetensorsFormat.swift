import ByteIO
import TensorCore

/// The safetensors format as a value.
extension CheckpointFormat {
  /// Hugging Face's safetensors: a header in JSON, then the tensors' bytes; also several such files
  /// with an index, `*.safetensors.index.json`.
  ///
  /// Source: github.com/huggingface/safetensors, README and `safetensors/src/tensor.rs`, 0.8.
  public static let safetensors = CheckpointFormat(
    name: "safetensors", extensions: [".safetensors"],
    recognizes: { Safetensors.recognizes($0) },
    open: { probe, _ in try Safetensors.open(probe) },
    write: { try await Safetensors.write($0, to: $1, options: $2) },
    fill: { try Safetensors.fill($0) },
    capabilities: Capabilities(dtypes: Safetensors.dtypes, isSharded: true).writingTiesOut)
}

/// Keys, limits, and types of the format.
enum Safetensors {
  /// Largest header accepted, in bytes, as in the reference reader.
  static let maxHeaderSize = 100_000_000
  /// The key of the header that is not a tensor's name.
  static let metadataKey = "__metadata__"
  /// The key of the metadata by which loaders know PyTorch's layout, and its value.
  static let formatMark = (key: "format", value: "pt")
  private static let ending = ".safetensors"
  /// Ending of an index of several files.
  static let indexEnding = ".safetensors.index.json"

  /// The format's element types; the reference writer stores those that are later here first.
  static let dtypes: [DType] = [
    .bool, .float4e2m1, .float6e2m3, .float6e3m2, .uint8, .int8, .float8e5m2, .float8e4m3,
    .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz, .int16, .uint16, .float16, .bfloat16, .int32,
    .uint32, .float32, .complex64, .float64, .int64, .uint64,
  ]

  /// Whether a file begins with a header or is an index, or a folder contains either.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    if candidate.members != nil {
      let holdsFiles =
        !candidate.members(endingIn: indexEnding).isEmpty
        || !candidate.members(endingIn: ending).isEmpty
      return holdsFiles && FolderModel.isOpen(candidate, to: [ending])
    }
    let head = candidate.head
    if ShardIndex.recognizes(candidate, ending: ending) { return true }
    guard head.count >= 10,
      head.littleEndian(UInt64.self, at: 0) <= maxHeaderSize,
      let first = head[8...].firstIndex(where: { !$0.isSpace }), head[first] == UInt8(ascii: "{"),
      let second = head[(first + 1)...].first(where: { !$0.isSpace })
    else { return false }
    return second == UInt8(ascii: "\"") || second == UInt8(ascii: "}")
  }

  /// Opens a file, an index of several files, or a folder that contains either.
  static func open(_ probe: FileProbe) throws -> Opened {
    if case .shards(let shards)? = try FolderModel.choice(in: probe) {
      var opened = try shards.contents { try read($0) }
      opened.restoreTies()
      opened.noteTiesWrittenOut()
      opened.notes += probe.othersNote(reading: shards.names)
      return opened
    }
    let candidate = try file(of: probe)
    var opened: Opened
    if ShardIndex.recognizes(candidate, ending: ending) {
      let index = try ShardIndex(candidate)
      opened = try index.contents { try read($0) }
      opened.restoreTies()
      opened.notes += probe.othersNote(reading: [candidate.name] + index.files)
    } else {
      opened = try read(try candidate.source)
      opened.notes += probe.othersNote(reading: [candidate.name])
    }
    opened.noteTiesWrittenOut()
    return opened
  }

  /// The file to read: the probe itself or, of a folder, its index or its only file.
  static func file(of probe: FileProbe) throws(CheckpointError) -> FileProbe {
    if probe.members == nil { return probe }
    return try probe.finding(for: Safetensors.self) { probe throws(CheckpointError) in
      try member(of: probe)
    }
  }

  /// The index of a folder, or its only file.
  private static func member(of folder: FileProbe) throws(CheckpointError) -> FileProbe {
    if case .file(let name)? = try FolderModel.choice(in: folder) {
      return try folder.member(name)
    }
    let indexes = folder.members(endingIn: indexEnding)
    let files = folder.members(endingIn: ending)
    if let index = indexes.first, indexes.count == 1 {
      return try folder.member(index)
    }
    if let file = files.first, indexes.isEmpty, files.count == 1 {
      return try folder.member(file)
    }
    throw CheckpointError(
      .unsupported,
      "is a folder of \(files.count) .safetensors files and \(indexes.count) indexes; name one of them",
      path: folder.path)
  }
}
