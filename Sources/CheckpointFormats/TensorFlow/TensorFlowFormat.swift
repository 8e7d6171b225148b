import ByteIO
import ParallelWork
import TensorCore

/// The format of TensorFlow's checkpoints as a value.
extension CheckpointFormat {
  /// TensorFlow's checkpoints, `NAME.index` and `NAME.data-*`, folders of them, and SavedModel folders,
  /// read-only.
  ///
  /// Source: tensorflow 2.21, `core/util/tensor_bundle`.
  public static let tensorflow = CheckpointFormat(
    name: "tensorflow", extensions: [".index"],
    recognizes: { TensorFlow.recognizes($0) },
    open: { probe, _ in try TensorFlow.open(probe) },
    capabilities: Capabilities(dtypes: TensorFlow.types.values),
    verify: { try await TensorFlow.damage($0, threads: $1) })
}

/// Finding, opening, and checking TensorFlow's checkpoints.
enum TensorFlow {
  /// Dtypes by `DataType` of TensorFlow; quantized integers are integers.
  static let types: [Int: DType] = [
    1: .float32, 2: .float64, 3: .int32, 4: .uint8, 5: .int16, 6: .int8, 8: .complex64, 9: .int64,
    10: .bool, 11: .int8, 12: .uint8, 13: .int32, 14: .bfloat16, 15: .int16, 16: .uint16,
    17: .uint16, 18: .complex128, 19: .float16, 22: .uint32, 23: .uint64, 24: .float8e5m2,
    25: .float8e4m3, 26: .float8e4m3fnuz, 28: .float8e5m2fnuz,
  ]
  /// Integers of less than a byte, which are stored in a byte each.
  static let narrow: [Int: NarrowIntegers] = [
    29: NarrowIntegers(bits: 4, isSigned: true, perByte: 1),
    30: NarrowIntegers(bits: 4, isSigned: false, perByte: 1),
  ]
  /// `DataType` of texts.
  static let stringType = 7

  /// Ending of an index.
  static let ending = ".index"
  private static let graphName = "saved_model.pb"
  private static let variables = "variables"

  // MARK: - Finding the index

  /// Whether a file is an index, belongs to one, or a folder holds one.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    if candidate.members != nil {
      return isSavedModel(candidate) || !indexes(in: candidate).isEmpty
    }
    return isTable(candidate) || isGraph(candidate)
  }

  /// Whether a file ends as a sorted table does.
  private static func isTable(_ candidate: FileProbe) -> Bool {
    let count = SortedTable.magic.count
    guard candidate.size >= count, let source = candidate.file else { return false }
    return (try? source.bytes(candidate.size - count..<candidate.size)) == SortedTable.magic
  }

  /// Whether a file is the graph of a SavedModel: a version, then a graph.
  private static func isGraph(_ candidate: FileProbe) -> Bool {
    candidate.name == graphName && candidate.head.starts(with: [0x08, 0x01, 0x12])
  }

  private static func isSavedModel(_ folder: FileProbe) -> Bool {
    folder.members?.contains(graphName) == true && folder.members?.contains(variables) == true
  }

  /// The names of the indexes in a folder that have a file of elements beside them, without ending.
  private static func indexes(in folder: FileProbe) -> [String] {
    let names = folder.members ?? []
    return folder.members(endingIn: ending).map { String($0.dropLast(ending.count)) }.filter {
      stem in
      names.contains { $0.hasPrefix(stem + ".data-00000-of-") }
    }
  }

  /// The index that a file or a folder stands for.
  private static func index(of probe: FileProbe) throws(CheckpointError) -> FileProbe {
    try probe.finding(for: TensorFlow.self) { probe throws(CheckpointError) in try found(probe) }
  }

  private static func found(_ probe: FileProbe) throws(CheckpointError) -> FileProbe {
    if probe.members == nil {
      guard isGraph(probe) else { return probe }
      return try FileProbe(variables + ending, in: probe.neighbors.folder(variables))
    }
    if isSavedModel(probe) {
      return try FileProbe(variables + ending, in: probe.folder.folder(variables))
    }
    let stems = indexes(in: probe)
    guard stems.count != 1 else { return try probe.member(stems[0] + ending) }
    if let latest = try latest(in: probe), stems.contains(latest) {
      return try probe.member(latest + ending)
    }
    let shown = stems.prefix(5).map { $0 + ending }.joined(separator: ", ")
    throw CheckpointError(
      .unsupported,
      "is a folder of \(stems.count) TensorFlow checkpoints; name one of them: \(shown)",
      path: probe.path)
  }

  /// The checkpoint that the file `checkpoint` in a folder calls the latest one, as
  /// `tf.train.latest_checkpoint` has it.
  private static func latest(in folder: FileProbe) throws(CheckpointError) -> String? {
    guard folder.members?.contains("checkpoint") == true else { return nil }
    let text = try FileProbe("checkpoint", in: folder.folder).text()
    for line in text.split(separator: "\n") where line.hasPrefix("model_checkpoint_path:") {
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      return Place.divided(String(parts[1])).name
    }
    return nil
  }

  // MARK: - Opening

  static func open(_ probe: FileProbe) throws(CheckpointError) -> Opened {
    let index = try index(of: probe)
    return try CheckpointError.placing(path: index.path) { () throws(CheckpointError) in
      var reader = TensorFlowReader(try bundle(of: index))
      var opened = try reader.contents()
      if probe.members != nil {
        let others = indexes(in: probe).count - 1
        if others > 0 {
          opened.notes.insert(
            "reading '\(index.name)', which 'checkpoint' calls the latest; the folder also holds "
              + "\(others) other\(others == 1 ? "" : "s")", at: 0)
        }
      }
      return opened
    }
  }

  private static func bundle(of index: FileProbe) throws(CheckpointError) -> TensorBundle {
    try index.finding { index throws(CheckpointError) in
      do throws(CheckpointError) {
        return try TensorBundle(index)
      } catch {
        throw error.damage(
          to: "the index of the TensorFlow checkpoint is damaged", path: index.path)
      }
    }
  }

  /// Compares the CRC-32C of every tensor, at most `threads` at once.
  static func damage(_ probe: FileProbe, threads: Int) async throws -> [CheckpointError] {
    let index = try index(of: probe)
    let bundle = try bundle(of: index)
    let stored = bundle.entries.filter { $0.slices.isEmpty }
    let sharing = Sharing<TensorBundle.Entry, CheckpointError?>.errors("damage") { $0.range.count }
    return try await concurrentMap(stored, width: threads, sharing: sharing) { entry in
      do throws(CheckpointError) {
        try bundle.check(entry)
        return nil
      } catch {
        return error.adding(path: index.path, tensor: TensorFlowNames.shown(entry.key))
      }
    }.compactMap { $0 }
  }
}

extension TensorBundle {
  /// Reads the stored bytes of a tensor and compares their CRC-32C.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when they differ.
  func check(_ entry: Entry) throws(CheckpointError) {
    let data = try data(of: entry)
    var sum = MaskedChecksum()
    if entry.type == TensorFlow.stringType {
      sum = try TensorFlowTexts(entry, in: data).checksum()
    } else {
      var buffer = ChunkBuffer()
      for offset in stride(from: 0, to: data.size, by: buffer.capacity) {
        let count = min(buffer.capacity, data.size - offset)
        try buffer.fill(count) { target throws(CheckpointError) in
          try data.read(at: offset, into: &target)
        }
        sum.add(buffer.bytes(count))
      }
    }
    guard sum.value == entry.checksum else {
      throw CheckpointError(
        .malformed, "expected CRC-32C \(entry.checksum), found \(sum.value)",
        offset: entry.range.lowerBound)
    }
  }
}
