import ByteIO
import JSONText
import TensorCore

/// Reading the index of a `.ckz` file, which is trusted in nothing.
extension NativeIndex {
  /// Reads an index and checks all it says: names, types, sizes, and that the chunks tile the file
  /// from `start` to `end`, where the index begins.
  ///
  /// `step` is the number of the step of a pack that it describes.
  init(
    parsing text: [UInt8], start: Int = NativeLayout.headerSize, end: Int, step: Int? = nil
  ) throws(CheckpointError) {
    // Canonical JSON has one spelling for each index: the fixed text between values can be expected
    // byte by byte, and nothing can be hidden in the spelling.
    var scanner = JSONScanner(
      text, offsets: .text("index"), spelling: .canonical, maxDepth: Value.maxJSONDepth)
    try scanner.expect("{")
    base = step == nil ? try Self.base(&scanner) : nil
    metadata = try Self.metadata(&scanner)
    try scanner.expect(",\"modules\":")
    modules = try scanner.moduleLabels()
    var records = scanner.take(",\"records\":") ? try Self.records(&scanner) : []
    try scanner.expect(",\"tensors\":")
    let origin: NativeTensorParser.Origin =
      if let step { .earlierSteps(step) } else { base == nil ? .none : .patched }
    var parser = NativeTensorParser(start: start, origin: origin, size: text.count)
    try scanner.array { scanner throws(CheckpointError) in try parser.take(&scanner) }
    values = scanner.take(",\"values\":") ? try Self.values(&scanner) : []
    try scanner.expect("}")
    try scanner.end()
    var position = parser.position
    for index in records.indices {
      records[index].offset = position
      let (next, overflow) = position.addingReportingOverflow(records[index].length)
      guard !overflow, next <= end else {
        throw CheckpointError(
          .malformed, "record '\(records[index].kind)' reaches into the index at byte \(end)")
      }
      position = next
    }
    guard position == end else {
      throw CheckpointError(
        .malformed,
        "expected the index right after the chunks at byte \(position), found it at byte \(end)")
    }
    self.records = records
    tensors = parser.tensors
  }

  /// Records without their offsets, which follow from the chunks.
  private static func records(_ scanner: inout JSONScanner) throws(CheckpointError) -> [Record] {
    var records: [Record] = []
    try scanner.array { scanner throws(CheckpointError) in
      try scanner.expect("[")
      let kind = try scanner.string(atMost: NativeLayout.maxNameBytes)
      try scanner.expect(",")
      let length = try scanner.wholeNumber()
      try scanner.expect(",")
      let crc32 = try sum(scanner.wholeNumber())
      try scanner.expect("]")
      records.append(Record(kind: kind, offset: 0, length: length, crc32: crc32))
    }
    if records.isEmpty { throw CheckpointError(.malformed, "expected records, found none") }
    return records
  }

  static func sum(_ number: Int) throws(CheckpointError) -> UInt32 {
    guard let crc32 = UInt32(exactly: number) else {
      throw CheckpointError(.malformed, "CRC-32 \(number) has more than 32 bits")
    }
    return crc32
  }

  private static func values(
    _ scanner: inout JSONScanner
  ) throws(CheckpointError) -> [Checkpoint.Named] {
    var room = ValueRoom()
    var values: [Checkpoint.Named] = []
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      let value = try Value.exact(&scanner, &room)
      values.append(Checkpoint.Named(key, value))
    }
    return values
  }

  /// The fingerprint of a patch's base.
  private static func base(_ scanner: inout JSONScanner) throws(CheckpointError) -> Digest? {
    guard scanner.take("\"base\":") else { return nil }
    let base = try digest(scanner.string(), of: "base")
    try scanner.expect(",")
    return base
  }

  static func digest(_ text: String, of key: String) throws(CheckpointError) -> Digest {
    guard let digest = Digest(lowercaseHexadecimal: text.utf8Span.span) else {
      throw CheckpointError(
        .malformed, "expected 64 lowercase hexadecimal digits as \(key), found '\(text)'")
    }
    return digest
  }

  /// Takes a digest without making a string of it.
  static func digest(
    _ scanner: inout JSONScanner, of key: String
  ) throws(CheckpointError) -> Digest {
    guard let range = scanner.plainString() else { return try digest(scanner.string(), of: key) }
    let bytes = scanner.bytes
    if let digest = Digest(lowercaseHexadecimal: bytes.span.extracting(range)) { return digest }
    return try digest(String(decoding: bytes[range], as: UTF8.self), of: key)
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws(CheckpointError) -> [String: String] {
    try scanner.expect("\"metadata\":")
    var metadata: [String: String] = [:]
    var last: String?
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      let value = try scanner.string()
      if let last, !last.utf8.lexicographicallyPrecedes(key.utf8) {
        throw CheckpointError(
          .malformed, "expected metadata keys in ascending order, found '\(key)' after '\(last)'")
      }
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw CheckpointError(.malformed, "metadata key '\(key)' occurs in two Unicode spellings")
      }
      last = key
    }
    return metadata
  }
}
