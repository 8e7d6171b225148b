import ByteIO
import JSONText
import TensorCore

/// What the index says of a tensor's chunks, before their offsets are known.
extension NativeTensorParser {
  /// The list of chunks; one without a filter of its own has `raw`, which no chunk names.
  mutating func chunks(
    _ scanner: inout JSONScanner
  ) throws(CheckpointError) -> [NativeIndex.Chunk] {
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
    return chunks
  }

  /// Checks that a base is named if and only if a chunk needs it, and that something is stored.
  static func check(
    _ chunks: [NativeIndex.Chunk], base: NativeIndex.Reference?
  ) throws(CheckpointError) {
    let needing = chunks.first { $0.filter.needsBase }
    guard (needing != nil) == (base != nil) else {
      throw CheckpointError(
        .malformed,
        needing.map { "filter \($0.filter.name) needs a base, but none is named" }
          ?? "names a base that no chunk needs")
    }
    if chunks.allSatisfy({ $0.filter == .base }), !chunks.isEmpty {
      throw CheckpointError(.malformed, "every chunk is that of the base, but it has chunks")
    }
  }

  static func misfit(_ filter: NativeFilter, _ dtype: DType) -> CheckpointError {
    CheckpointError(
      .malformed, "filter \(filter.name) does not apply to elements of \(dtype.rawValue)")
  }

  /// A chunk with its own filter or, if it names none, that of its tensor.
  static func chunk(
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
  static func chainingValues(
    _ text: String?, count: Int, digest: Digest
  ) throws(CheckpointError) -> [UInt8] {
    guard let text else {
      if count > 1 {
        throw CheckpointError(.malformed, "expected cvs of \(count) chunks, found none")
      }
      return []
    }
    let digits = text.utf8Span.span
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

  static func unknown(_ what: String, _ value: String) -> CheckpointError {
    CheckpointError(
      .unsupported,
      "\(what) '\(value)' is unknown to version \(NativeLayout.version); use a newer ckpt"
    )
  }
}
