import ByteIO
import JSONText
import TensorCore

/// The header of a GGUF file, checked against the size of the file.
///
/// The rules are llama.cpp's (`gguf.cpp`): tensor data follow each other in the order of the header,
/// each at the next multiple of the alignment.
struct GGUFHeader {
  /// A metadata value and its kind.
  struct Value {
    let key: String
    let kind: GGUFKind
    let value: TensorCore.Value
    /// Where key, kind, and value are in the file.
    let range: Range<Int>
  }

  /// A tensor and the offset of its data in the file.
  struct Tensor {
    let name: TensorName
    let info: TensorInfo
    let start: Int
  }

  /// Metadata in file order.
  private(set) var values: [Value] = []
  /// Tensors in file order.
  private(set) var tensors: [Tensor] = []
  /// Offset in the file of the end of the metadata, where the descriptions of the tensors begin.
  private(set) var valuesEnd = 0
  /// Offset in the file of the end of those, after which the data are aligned.
  private(set) var end = 0
  /// Whether numbers in the file have their most significant byte first.
  private(set) var isBigEndian = false
  /// Alignment of the tensors' data in bytes, a power of two.
  private(set) var alignment = GGUF.standardAlignment

  /// Reads and checks the header of a file.
  init(of file: ByteSource) throws(CheckpointError) {
    var cursor = GGUFCursor(file)
    guard try file.head(4) == GGUF.magic else {
      throw CheckpointError(
        .malformed, "is not a GGUF file: it does not begin with GGUF", offset: 0)
    }
    _ = try cursor.number(UInt32.self)
    let version = try cursor.number(UInt32.self)
    // As in gguf-py: a version in the other byte order means that all numbers are.
    isBigEndian = GGUF.readVersions.contains(version.byteSwapped)
    cursor.isBigEndian = isBigEndian
    try Self.checkVersion(isBigEndian ? version.byteSwapped : version)
    // The smallest tensor entry: length of an empty name 8, rank 4, one dimension 8, type 4, offset
    // 8.
    let tensorCount = try cursor.count("tensors", size: 32, atMost: GGUF.maxTensors)
    // The smallest metadata item: length and one byte of a key, a type, and one byte of a value.
    let valueCount = try cursor.count("metadata values", size: 14)
    alignment = try readValues(&cursor, valueCount)
    valuesEnd = cursor.position
    let entries = try Self.entries(&cursor, tensorCount)
    self.end = cursor.position
    guard let start = GGUF.aligned(cursor.position, to: alignment) else {
      throw CheckpointError(.malformed, "total size reaches 2^63 bytes")
    }
    let end = try layOut(entries, from: start, alignment: alignment)
    // Some writers leave out the last tensor's padding; gguf-py and llama.cpp's loader accept such
    // files. Without tensors there is nothing to align.
    let last = tensors.last.map { $0.start + $0.info.byteCount } ?? cursor.position
    if file.size < last || end < file.size {
      let isCut = file.size < last
      // What a truncated file still holds can be rescued; reading the rest fails.
      if isCut, Rescue.current != nil { return }
      try Rescue.leaveOut(
        CheckpointError(
          .malformed,
          isCut
            ? "the file has \(file.size) bytes, but its tensors end at byte \(last)"
            : "expected the end of the file after the last tensor, found \(file.size - end) more "
              + "byte\(file.size - end == 1 ? "" : "s")",
          tensor: isCut
            ? tensors.first { $0.start + $0.info.byteCount > file.size }?.name.text : nil,
          offset: min(file.size, end)))
    }
  }

  private static func checkVersion(_ version: UInt32) throws(CheckpointError) {
    if GGUF.readVersions.contains(version) { return }
    throw CheckpointError(
      .unsupported, "expected version 2 or 3, found \(version)", offset: 4)
  }

  // MARK: - Metadata

  /// Reads the metadata and returns the alignment.
  private mutating func readValues(
    _ cursor: inout GGUFCursor, _ count: Int
  ) throws(CheckpointError) -> Int {
    var keys: Set<TensorName> = []
    var alignment = GGUF.standardAlignment
    var room = ValueRoom()
    for _ in 0..<count {
      let start = cursor.position
      let bytes = try cursor.text("a key", atMost: GGUF.maxNameBytes)
      guard let key = String(validating: bytes, as: UTF8.self), !key.isEmpty else {
        throw CheckpointError(
          .malformed, bytes.isEmpty ? "a key is empty" : "a key is not UTF-8", offset: start)
      }
      guard keys.insert(TensorName(key)).inserted else {
        throw CheckpointError(
          .malformed, "duplicate key '\(JSONScanner.shown(key))'",
          offset: start)
      }
      do throws(CheckpointError) {
        let (kind, value) = try GGUFKind.read(&cursor, &room)
        if key == GGUF.alignmentKey { alignment = try Self.alignment(kind, value) }
        values.append(
          Value(key: key, kind: kind, value: value, range: start..<cursor.position))
      } catch {
        throw CheckpointError(
          error.code, "metadata '\(JSONScanner.shown(key))': \(error.message)",
          offset: error.offset ?? start)
      }
    }
    return alignment
  }

  /// The alignment in a metadata value.
  static func alignment(
    _ kind: GGUFKind, _ value: TensorCore.Value
  ) throws(CheckpointError) -> Int {
    // A text is how earlier versions kept the number.
    let spelled: Int? = if case .text(let text) = value { Int(text) } else { nil }
    let integer: Int? = if case .integer(let number) = value { number } else { spelled }
    guard kind == GGUFKind(element: .u32), let number = integer,
      (1...GGUF.maxAlignment).contains(number), number & (number - 1) == 0
    else {
      throw CheckpointError(
        .malformed,
        "expected a power of two up to \(GGUF.maxAlignment) as u32, found \(kind.name) "
          + value.shortText(limit: 80))
    }
    return number
  }

  // MARK: - Tensors

  /// The header's entry for a tensor.
  private struct Entry {
    let name: TensorName
    let info: TensorInfo
    let offset: UInt64
    let position: Int
  }

  private static func entries(
    _ cursor: inout GGUFCursor, _ count: Int
  ) throws(CheckpointError) -> [Entry] {
    var names: Set<TensorName> = []
    var entries: [Entry] = []
    for _ in 0..<count {
      let start = cursor.position
      let bytes = try cursor.text("a tensor's name", atMost: GGUF.maxNameBytes)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw CheckpointError(.malformed, "a tensor name is not UTF-8", offset: start)
      }
      try CheckpointError.placing(tensor: text, offset: start) { () throws(CheckpointError) in
        try names.add(tensor: TensorName(text))
        let info = try info(&cursor)
        let offset = try cursor.number(UInt64.self)
        entries.append(Entry(name: TensorName(text), info: info, offset: offset, position: start))
      }
    }
    return entries
  }

  private static func info(_ cursor: inout GGUFCursor) throws(CheckpointError) -> TensorInfo {
    let rank = try cursor.number(UInt32.self)
    guard (1...GGUF.maxRank).contains(Int(rank)) else {
      throw CheckpointError(
        .malformed, "expected 1 to \(GGUF.maxRank) dimensions, found \(rank)")
    }
    var dimensions: [Int] = []
    for _ in 0..<rank {
      let size = try cursor.number(UInt64.self)
      guard let size = Int(exactly: size), size > 0 else {
        throw CheckpointError(.malformed, "expected a dimension of 1 to 2^63 - 1, found \(size)")
      }
      dimensions.append(size)
    }
    let number = try cursor.number(UInt32.self)
    guard let dtype = GGUF.types[number] else {
      throw CheckpointError(.unsupported, "ggml has no element type \(number)")
    }
    guard dimensions[0] % dtype.block.elements == 0 else {
      throw CheckpointError(
        .malformed,
        "rows have \(dimensions[0]) elements, but \(dtype.rawValue) stores them in blocks of "
          + "\(dtype.block.elements)")
    }
    // GGUF lists the fastest dimension first.
    return try TensorInfo(dtype: dtype, shape: dimensions.reversed())
  }

  /// Checks that tensors follow each other, and returns the end of the last one's padding.
  private mutating func layOut(
    _ entries: [Entry], from start: Int, alignment: Int
  ) throws(CheckpointError) -> Int {
    var end = 0
    for entry in entries {
      guard entry.offset == end else {
        throw CheckpointError(
          .malformed,
          "expected offset \(end), found \(entry.offset): tensors must follow each other, aligned to "
            + "\(alignment)", tensor: entry.name.text, offset: entry.position)
      }
      tensors.append(Tensor(name: entry.name, info: entry.info, start: start + end))
      let (sum, overflow) = end.addingReportingOverflow(entry.info.byteCount)
      guard !overflow, let next = GGUF.aligned(sum, to: alignment),
        !next.addingReportingOverflow(start).overflow
      else {
        throw CheckpointError(
          .malformed, "total size reaches 2^63 bytes at this tensor", tensor: entry.name.text,
          offset: entry.position)
      }
      end = next
    }
    return start + end
  }
}
