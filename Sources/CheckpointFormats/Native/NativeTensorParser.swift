import ByteIO
import JSONText
import TensorCore

/// Reads tensor after tensor and keeps what the next one is checked against.
struct NativeTensorParser {
  /// What tensors may refer to.
  enum Origin {
    case none
    /// The base of a patch.
    case patched
    /// The steps of a pack before this one.
    case earlierSteps(Int)
  }

  /// Where the next chunk begins, but for alignment.
  private(set) var position: Int
  private let origin: Origin
  /// What was read so far.
  private(set) var tensors: [NativeIndex.Tensor] = []
  /// Names so far, and whether they have bytes of their own.
  private var names: [TensorName: Bool] = [:]
  /// Where the tensors so far with bytes of their own begin, which follow each other in the file.
  private var placed: [(offset: Int, tensor: Int)] = []
  /// The filter and the type that were named last; most tensors name the same.
  private var lastFilter: (name: String, json: String, filter: NativeFilter)?
  private var lastType: (name: String, type: DType)?

  /// What the index says of one tensor takes at least this many bytes, apart from its name.
  private static let leastText = 150

  /// Reads tensors whose first chunk is at `start` from an index of `size` bytes.
  init(start: Int, origin: Origin, size: Int) {
    position = start
    self.origin = origin
    let expected = size / Self.leastText
    tensors.reserveCapacity(expected)
    names.reserveCapacity(expected)
    placed.reserveCapacity(expected)
  }

  /// Reads the next tensor.
  mutating func take(_ scanner: inout JSONScanner) throws(CheckpointError) {
    tensors.append(try tensor(&scanner))
  }

  private mutating func tensor(
    _ scanner: inout JSONScanner
  ) throws(CheckpointError) -> NativeIndex.Tensor {
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
    try scanner.expect("{")
    var base: String?
    if scanner.take("\"base\":") {
      base = try scanner.string()
      try scanner.expect(",")
    }
    try scanner.expect("\"blake3\":")
    let digest = try NativeIndex.digest(&scanner, of: "blake3")
    if base == nil, scanner.take(",\"dtype\":") { return try unchanged(&scanner, digest) }
    try scanner.expect(",\"chunks\":")
    let chunks = try chunks(&scanner)
    let values = scanner.take(",\"cvs\":") ? try scanner.string() : nil
    try scanner.expect(",\"dtype\":")
    let dtype = try scanner.string()
    try scanner.expect(",\"filter\":")
    let filter = try filterName(&scanner)
    let name = try self.name(&scanner, stored: true)
    try scanner.expect(",\"offset\":")
    let offset = try scanner.wholeNumber()
    let shape = try Self.shape(&scanner)
    return try CheckpointError.placing(tensor: name.text) { () throws(CheckpointError) in
      var reference: NativeIndex.Reference?
      if let base {
        reference = try self.reference(&scanner, to: NativeIndex.digest(base, of: "base"))
      }
      try scanner.expect("}")
      let stored = try self.stored(
        chunks, dtype: dtype, filter: filter, offset: offset, digest: digest, values: values,
        shape: shape, base: reference)
      return NativeIndex.Tensor(name: name, content: .stored(stored))
    }
  }

  /// A tensor whose bytes are those of the base or of an earlier step.
  private mutating func unchanged(
    _ scanner: inout JSONScanner, _ digest: Digest
  ) throws(CheckpointError) -> NativeIndex.Tensor {
    let dtype = try scanner.string()
    let name = try self.name(&scanner, stored: true)
    let shape = try Self.shape(&scanner)
    return try CheckpointError.placing(tensor: name.text) { () throws(CheckpointError) in
      let reference = try self.reference(&scanner, to: digest)
      try scanner.expect("}")
      let info = try TensorInfo(dtype: self.dtype(dtype), shape: shape)
      return NativeIndex.Tensor(name: name, content: .unchanged(info, reference))
    }
  }

  private static func shape(_ scanner: inout JSONScanner) throws(CheckpointError) -> [Int] {
    try scanner.expect(",\"shape\":")
    var shape: [Int] = []
    try scanner.array { scanner throws(CheckpointError) in
      shape.append(try scanner.wholeNumber())
    }
    guard shape.count <= NativeLayout.maxRank else {
      throw CheckpointError(
        .malformed, "expected at most \(NativeLayout.maxRank) dimensions, found \(shape.count)")
    }
    return shape
  }

  /// Reads which step has the bytes, if this is a pack.
  private func reference(
    _ scanner: inout JSONScanner, to digest: Digest
  ) throws(CheckpointError) -> NativeIndex.Reference {
    switch origin {
    case .none:
      throw CheckpointError(.malformed, "refers to a base, but the file is neither patch nor pack")
    case .patched: return NativeIndex.Reference(digest: digest)
    case .earlierSteps(let count):
      try scanner.expect(",\"step\":")
      let step = try scanner.wholeNumber()
      guard step < count else {
        throw CheckpointError(
          .malformed, "expected bytes of a step before \(count), found step \(step)")
      }
      return NativeIndex.Reference(digest: digest, step: step)
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
    _ chunks: [NativeIndex.Chunk], dtype: String, filter: String, offset: Int, digest: Digest,
    values: String?, shape: [Int], base: NativeIndex.Reference?
  ) throws(CheckpointError) -> NativeIndex.Stored {
    let type = try self.dtype(dtype)
    let method = try self.filter(filter)
    guard method.divides(type) else { throw Self.misfit(method, type) }
    var chunks = chunks
    for index in chunks.indices {
      chunks[index] = try Self.chunk(chunks[index], of: type, method)
    }
    try Self.check(chunks, base: base)
    let info = try TensorInfo(dtype: type, shape: shape)
    let count = NativeLayout.chunkCount(info.byteCount)
    guard chunks.count == count else {
      throw CheckpointError(
        .malformed,
        "expected \(count) chunks for shape \(shape) of \(dtype), found \(chunks.count)")
    }
    let chainingValues = try Self.chainingValues(values, count: count, digest: digest)
    if let original = original(at: offset) {
      guard
        original.digest == digest, original.filter == method,
        original.info.byteCount == info.byteCount, original.base == base,
        original.chunks.elementsEqual(
          chunks, by: { ($0.length, $0.crc32, $0.filter) == ($1.length, $1.crc32, $1.filter) })
      else {
        throw CheckpointError(
          .malformed, "offset \(offset) belongs to an earlier tensor with different content")
      }
      return NativeIndex.Stored(
        info: info, filter: method, digest: digest, chunks: original.chunks,
        chainingValues: chainingValues, base: base)
    }
    try place(&chunks, of: info.byteCount, raw: method == .raw)
    // Offsets follow from the lengths of the chunks before; the index states them for readers that
    // look up one tensor. A tensor without bytes has no chunk and the offset 0.
    guard chunks.first?.offset ?? 0 == offset else {
      throw CheckpointError(
        .malformed, "expected the tensor at offset \(chunks.first?.offset ?? 0), found \(offset)")
    }
    let stored = NativeIndex.Stored(
      info: info, filter: method, digest: digest, chunks: chunks, chainingValues: chainingValues,
      base: base)
    if !chunks.isEmpty { placed.append((offset, tensors.count)) }
    return stored
  }

  /// The earlier tensor whose first chunk is at an offset.
  private func original(at offset: Int) -> NativeIndex.Stored? {
    guard offset < position else { return nil }
    let index = placed.partitioningIndex { $0.offset >= offset }
    guard index < placed.count, placed[index].offset == offset,
      case .stored(let stored) = tensors[placed[index].tensor].content
    else { return nil }
    return stored
  }

  private func filterName(_ scanner: inout JSONScanner) throws(CheckpointError) -> String {
    if let lastFilter, scanner.take(lastFilter.json) { return lastFilter.name }
    return try scanner.string()
  }

  mutating func filter(_ name: String) throws(CheckpointError) -> NativeFilter {
    if let lastFilter, lastFilter.name == name { return lastFilter.filter }
    guard let filter = NativeFilter(name: name) else { throw Self.unknown("filter", name) }
    // Names of filters need no escapes.
    lastFilter = (name, "\"\(name)\"", filter)
    return filter
  }

  private mutating func dtype(_ name: String) throws(CheckpointError) -> DType {
    if let lastType, lastType.name == name { return lastType.type }
    guard let type = DType(rawValue: name) else { throw Self.unknown("dtype", name) }
    lastType = (name, type)
    return type
  }

  /// Gives chunks their offsets.
  private mutating func place(
    _ chunks: inout [NativeIndex.Chunk], of byteCount: Int, raw: Bool
  ) throws(CheckpointError) {
    for index in chunks.indices {
      let size = NativeLayout.chunkRange(index, of: byteCount).count
      // No encoder needs more than stored blocks do, so a longer stream can only waste a reader's
      // memory.
      let isBase = chunks[index].filter == .base
      let allowed =
        raw ? size...size : isBase ? 0...0 : 1...NativeLayout.maxStreamSize(size)
      if isBase, chunks[index].crc32 != 0 {
        throw CheckpointError(
          .malformed, "chunk \(index): expected CRC-32 0 of no bytes, found \(chunks[index].crc32)")
      }
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
}
