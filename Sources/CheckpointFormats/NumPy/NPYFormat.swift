import ByteIO
import ParallelWork
import TensorCore

/// The `.npy` format as a value.
extension CheckpointFormat {
  /// One array as `numpy.save` stores it; it has no name and is called `arr_0`, as NumPy calls it.
  public static let npy = CheckpointFormat(
    name: "npy", extensions: [".npy"],
    recognizes: { $0.head.starts(with: NPYHeader.magic) },
    open: { probe, _ in try NPY.open(try probe.source) },
    write: { try await NPY.write($0, to: $1, options: $2) },
    fill: { try NPY.fill($0) },
    capabilities: Capabilities(
      dtypes: NPYHeader.dtypes, keepsTies: false, keepsModules: false, values: [],
      holdsOneTensor: true
    ).seenByNumPy)
}

/// Reading and writing of a lone array.
enum NPY {
  /// NumPy's name for an array without one.
  static let name: TensorName = "arr_0"
  /// The note about two-byte elements of no type, which are treated as bfloat16.
  static let guess = "elements of type '|V2' are treated as bfloat16"

  static func open(_ file: ByteSource) throws -> Opened {
    try CheckpointError.placing(path: file.name) { () throws(CheckpointError) in
      if let objects = try NPYObjects(file, named: "") {
        var opened = Opened(Checkpoint(entries: []))
        opened.add(objects, of: nil)
        guard !opened.checkpoint.entries.isEmpty else {
          throw CheckpointError(.missing, "is an array of objects that contains no tensor")
        }
        return opened
      }
      let header = try NPYHeader(size: file.size) { range throws(CheckpointError) in
        try file.bytes(range)
      }
      let array = try NPYArray(header) { offset, target in
        try file.read(at: header.length + offset, into: &target)
      }
      var opened = Opened(Checkpoint(entries: [array.entry(named: name)]))
      if header.isGuess { opened.notes = [guess] }
      return opened
    }
  }

  /// Decides what changes in a copy of a file: the elements, stored in the order that the file has.
  static func fill(_ fill: Fill) throws(CheckpointError) -> FilledFiles {
    let source = try fill.template.source
    try fill.refuseObjects(besides: [name])
    let header = try NPYHeader(size: source.size) { range throws(CheckpointError) in
      try source.bytes(range)
    }
    var copy = PatchedCopy(of: source)
    if let entry = fill.tensors[name] {
      copy.replace(at: header.length, with: try entry.stored(as: header))
    }
    let patched = copy
    var filled = FilledFiles(fill.template.name) {
      try await patched.write(to: $0, threads: fill.threads)
    }
    filled.losses = fill.lostMetadata(where: "npy has")
    return filled
  }

  /// Writes a checkpoint of one tensor, whose name is lost.
  static func write(_ checkpoint: Checkpoint, to sink: ByteSink, options: WriteOptions) async throws
  {
    for entry in checkpoint.entries {
      let header = try NPYHeader.bytes(entry.info)
      try sink.append(header.rawBytes)
    }
    let stream = TensorStream(checkpoint.entries, threads: options.threads, ranks: sink.ranks)
    try await stream.forEachChunk { chunk, bytes in
      try sink.append(bytes, count: chunk.count)
    }
  }
}

extension Capabilities {
  /// The same, for files that NumPy reads, which knows bfloat16 only as two bytes.
  var seenByNumPy: Capabilities {
    var copy = self
    copy.seenAs = [.bfloat16: "'|V2', two bytes without a type"]
    return copy
  }
}
