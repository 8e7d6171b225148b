import ByteIO
import JSONText
import TensorCore

/// Reads tensor after tensor and keeps what the next one is checked against.
struct NativeTensorParser {
  /// Where the next chunk begins, but for alignment.
  private(set) var position = NativeLayout.headerSize
  /// Names so far, and whether they have bytes of their own.
  private var names: [TensorName: Bool] = [:]
  /// Tensors so far with bytes of their own, which follow each other in the file.
  private var placed: [NativeIndex.Stored] = []
  /// The filter that was named last; most tensors name the same.
  private var lastFilter: (name: String, filter: NativeFilter)?

  mutating func tensor(_ scanner: inout JSONScanner) throws(CheckpointError) -> NativeIndex.Tensor {
    if scanner.take("{\"alias\":") {
      let original = TensorName(try scanner.string(atMost: NativeLayout.maxNameBytes))
      let name = try self.name(&scanner, stored: false)
      try scanner.expect("}")
      guard names[original] == true else {
        throw CheckpointError(
          .malformed,
          "expected an alias of an earlier tensor with its own bytes, found '\(original)'",
          tensor: name.text)
      }
      return NativeIndex.Tensor(name: name, content: .alias(original))
    }
    try scanner.expect("{\"blake3\":")
    let digest = try scanner.string()
    try scanner.expect(",\"chunks\":")
    var chunks: [NativeIndex.Chunk] = []
    try scanner.array { scanner throws(CheckpointError) in
      try scanner.expect("[")
      let length = try scanner.wholeNumber()
      try scanner.expect(",")
      let crc32 = try NativeIndex.sum(scanner.wholeNumber())
      let filter = scanner.take(",") ? try scanner.string() : nil
      try scanner.expect("]")
      var chunk = NativeIndex.Chunk(offset: 0, length: length, crc32: crc32, filter: .raw)
      if let filter {
        chunk.filter = try self.filter(filter)
        guard chunk.filter != .raw else {
          throw CheckpointError(.malformed, "a chunk names the filter raw")
        }
      }
      chunks.append(chunk)
    }
    let values = scanner.take(",\"cvs\":") ? try scanner.string() : nil
    try scanner.expect(",\"dtype\":")
    let dtype = try scanner.string()
    try scanner.expect(",\"filter\":")
    let filter = try scanner.string()
    let name = try self.name(&scanner, stored: true)
    try scanner.expect(",\"offset\":")
    let offset = try scanner.wholeNumber()
    try scanner.expect(",\"shape\":")
    var shape: [Int] = []
    try scanner.array { scanner throws(CheckpointError) in
      shape.append(try scanner.wholeNumber())
    }
    try scanner.expect("}")
    do {
      let stored = try self.stored(
        chunks, dtype: dtype, filter: filter, offset: offset, digest: digest, values: values,
        shape: shape)
      return NativeIndex.Tensor(name: name, content: .stored(stored))
    } catch {
      throw error.adding(tensor: name.text)
    }
  }

  private mutating func name(
    _ scanner: inout JSONScanner, stored: Bool
  ) throws(CheckpointError) -> TensorName {
    try scanner.expect(",\"name\":")
    let name = TensorName(try scanner.string(atMost: NativeLayout.maxNameBytes))
    guard names.updateValue(stored, forKey: name) == nil else {
      throw CheckpointError(.malformed, "two tensors have this name", tensor: name.text)
    }
    return name
  }

  private mutating func stored(
    _ chunks: [NativeIndex.Chunk], dtype: String, filter: String, offset: Int, digest: String,
    values: String?, shape: [Int]
  ) throws(CheckpointError) -> NativeIndex.Stored {
    guard let type = DType(rawValue: dtype) else { throw Self.unknown("dtype", dtype) }
    let method = try self.filter(filter)
    guard method.divides(type) else { throw Self.misfit(method, type) }
    var chunks = chunks
    for index in chunks.indices {
      chunks[index] = try Self.chunk(chunks[index], of: type, method)
    }
    guard let sum = Digest(lowercaseHexadecimal: digest) else {
      throw CheckpointError(
        .malformed, "expected 64 lowercase hexadecimal digits as blake3, found '\(digest)'")
    }
    guard shape.count <= NativeLayout.maxRank else {
      throw CheckpointError(
        .malformed, "expected at most \(NativeLayout.maxRank) dimensions, found \(shape.count)")
    }
    let info = try TensorInfo(dtype: type, shape: shape)
    let count = NativeLayout.chunkCount(info.byteCount)
    guard chunks.count == count else {
      throw CheckpointError(
        .malformed,
        "expected \(count) chunks for shape \(shape) of \(dtype), found \(chunks.count)")
    }
    let chainingValues = try Self.chainingValues(values, count: count, digest: sum)
    if let original = original(at: offset) {
      guard
        original.digest == sum, original.filter == method,
        original.info.byteCount == info.byteCount,
        original.chunks.elementsEqual(
          chunks, by: { ($0.length, $0.crc32, $0.filter) == ($1.length, $1.crc32, $1.filter) })
      else {
        throw CheckpointError(
          .malformed, "offset \(offset) belongs to an earlier tensor with different content")
      }
      return NativeIndex.Stored(
        info: info, filter: method, digest: sum, chunks: original.chunks,
        chainingValues: chainingValues)
    }
    try place(&chunks, of: info.byteCount, raw: method == .raw)
    // Offsets follow from the lengths of the chunks before; the index states them for readers that
    // look up one tensor. A tensor without bytes has no chunk and the offset 0.
    guard chunks.first?.offset ?? 0 == offset else {
      throw CheckpointError(
        .malformed, "expected the tensor at offset \(chunks.first?.offset ?? 0), found \(offset)")
    }
    let stored = NativeIndex.Stored(
      info: info, filter: method, digest: sum, chunks: chunks, chainingValues: chainingValues)
    if !chunks.isEmpty { placed.append(stored) }
    return stored
  }

  /// The earlier tensor whose first chunk is at an offset.
  private func original(at offset: Int) -> NativeIndex.Stored? {
    guard offset < position else { return nil }
    let index = placed.partitioningIndex { $0.chunks[0].offset >= offset }
    return index < placed.count && placed[index].chunks[0].offset == offset ? placed[index] : nil
  }

  private mutating func filter(_ name: String) throws(CheckpointError) -> NativeFilter {
    if let lastFilter, lastFilter.name == name { return lastFilter.filter }
    guard let filter = NativeFilter(name: name) else { throw Self.unknown("filter", name) }
    lastFilter = (name, filter)
    return filter
  }

  private static func misfit(_ filter: NativeFilter, _ dtype: DType) -> CheckpointError {
    CheckpointError(
      .malformed, "filter \(filter.name) does not apply to elements of \(dtype.rawValue)")
  }

  /// A chunk with its own filter or, if it names none, that of its tensor.
  private static func chunk(
    _ chunk: NativeIndex.Chunk, of dtype: DType, _ filter: NativeFilter
  ) throws(CheckpointError) -> NativeIndex.Chunk {
    var chunk = chunk
    // No chunk names `raw`, so it stands for none.
    if chunk.filter == .raw {
      chunk.filter = filter
      return chunk
    }
    guard filter != .raw, chunk.filter != filter else {
      throw CheckpointError(
        .malformed,
        "expected a chunk to name another filter than its tensor, found \(chunk.filter.name)")
    }
    guard chunk.filter.divides(dtype) else { throw misfit(chunk.filter, dtype) }
    return chunk
  }

  /// The chaining values of a tensor of several chunks, which must merge into its digest.
  private static func chainingValues(
    _ text: String?, count: Int, digest: Digest
  ) throws(CheckpointError) -> [UInt8] {
    guard let text else {
      if count > 1 {
        throw CheckpointError(.malformed, "expected cvs of \(count) chunks, found none")
      }
      return []
    }
    let digits = Array(text.utf8)
    let expected = count > 1 ? count.saturated(times: 2 * TreeDigest.valueSize) : 0
    guard count > 1, digits.count == expected else {
      throw CheckpointError(
        .malformed,
        "expected cvs of \(count > 1 ? count : 0) chunks, found \(digits.count) digits")
    }
    guard let values = [UInt8](lowercaseHexadecimal: digits) else {
      throw CheckpointError(.malformed, "cvs: expected lowercase hexadecimal digits")
    }
    guard TreeDigest.digest(merging: values) == digest else {
      throw CheckpointError(.malformed, "cvs do not merge into blake3 \(digest)")
    }
    return values
  }

  /// Gives chunks their offsets.
  private mutating func place(
    _ chunks: inout [NativeIndex.Chunk], of byteCount: Int, raw: Bool
  ) throws(CheckpointError) {
    for index in chunks.indices {
      let size = NativeLayout.chunkRange(index, of: byteCount).count
      // No encoder needs more than stored blocks do, so a longer stream can only waste a reader's
      // memory.
      let allowed = raw ? size...size : 1...NativeLayout.maxStreamSize(size)
      guard allowed.contains(chunks[index].length) else {
        throw CheckpointError(
          .malformed,
          "chunk \(index): expected \(allowed.lowerBound) to \(allowed.upperBound) stored bytes for "
            + "\(size), found \(chunks[index].length)")
      }
      if raw {
        chunks[index].padding = NativeLayout.aligned(position) - position
        position = NativeLayout.aligned(position)
      }
      chunks[index].offset = position
      position += chunks[index].length
    }
  }

  private static func unknown(_ what: String, _ value: String) -> CheckpointError {
    CheckpointError(
      .unsupported,
      "\(what) '\(value)' is unknown to version \(NativeLayout.version); use a newer ckpt"
    )
  }
}
