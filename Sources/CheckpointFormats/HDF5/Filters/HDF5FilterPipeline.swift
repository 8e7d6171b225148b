package import ByteIO
package import HDF5
import ParallelWork
package import TensorCore

/// Undoes the filters of a chunk in any order, one after the other.
///
/// Small chunks whose filters are only shuffle, gzip, and fletcher32 have a faster way in
/// `HDF5ChunkDecoder`.
package struct HDF5FilterPipeline: Sendable {
  /// Filters in the order in which they were applied.
  let filters: [HDF5Table.Filter]
  /// Width in bytes of the words that shuffle divides.
  let width: Int

  package init(filters: [HDF5Table.Filter], width: Int) {
    (self.filters, self.width) = (filters, width)
  }

  /// The filters that were applied to a chunk; bit i of `mask` is set if filter i was skipped.
  func applied(_ mask: UInt32) -> [HDF5Table.Filter] {
    // The mask has 32 bits; a filter beyond them cannot be skipped.
    filters.enumerated().filter { $0.offset >= 32 || mask >> UInt32($0.offset) & 1 == 0 }
      .map(\.element)
  }

  /// Unpacks a stored chunk, which must fill `target`.
  ///
  /// - Throws: ``CheckpointError``, with the filter's name in it.
  package func undo(
    _ stored: ByteSource, mask: UInt32, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let applied = applied(mask)
    // Mostly, bytes were shuffled before all else: they are put in their places at once.
    guard applied.first?.number == HDF5Table.Filter.shuffle, target.byteCount % width == 0 else {
      return try undo(stored, applied, into: &target)
    }
    let memory = Self.memory.acquire()
    defer { Self.memory.release(memory) }
    let size = target.byteCount
    if memory.value.capacity < size { memory.value = ChunkBuffer(capacity: size) }
    try memory.value.fill(size) { planes throws(CheckpointError) in
      try undo(stored, Array(applied.dropFirst()), into: &planes)
    }
    memory.value.lend(size) { Planes.merge($0, width: width, rotated: false, into: &target) }
  }

  /// Idle memory for shuffled chunks.
  private static let memory = Pool(capacity: 16) { ChunkBuffer() }

  private func undo(
    _ stored: ByteSource, _ applied: [HDF5Table.Filter], into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let stage = try stage(stored, applied, chunkSize: target.byteCount)
    let count = try stage.fill(&target)
    try Self.checkEnd(of: stage, after: count, of: target.byteCount)
  }

  /// Refuses a chunk that has fewer or more bytes than it should.
  static func checkEnd(
    of stage: any FilterStage, after count: Int, of chunkSize: Int
  ) throws(CheckpointError) {
    var spare: [UInt8] = [0]
    let more =
      try count < chunkSize
      ? 0
      : spare.fillBytes { bytes throws(CheckpointError) in try stage.read(into: &bytes) }
    guard count == chunkSize, more == 0 else {
      throw CheckpointError(
        .malformed, "expected \(chunkSize) stored bytes, found \(more > 0 ? "more" : "\(count)")")
    }
  }

  /// The bytes of a chunk, from which `applied` filters are undone.
  func stage(
    _ stored: ByteSource, _ applied: [HDF5Table.Filter], chunkSize: Int
  ) throws(CheckpointError) -> any FilterStage {
    var ratio = 1
    for filter in applied { ratio = ratio.saturated(times: try Self.ratio(filter)) }
    // Checked before there is memory for anything.
    guard chunkSize <= stored.size.saturated(times: ratio) else {
      throw CheckpointError(
        .malformed,
        "\(stored.size) packed bytes cannot expand to a chunk of \(chunkSize)")
    }
    // Filters expand what they cannot pack by little.
    let limit = [chunkSize.saturated(times: 2), 1 << 16].saturatedSum()
    var stage: any FilterStage = SourceStage(stored)
    for filter in applied.reversed() {
      do throws(CheckpointError) {
        stage = NamedStage(try undo(filter, stage, limit: limit), filter.name)
      } catch {
        throw NamedStage.naming(filter.name, error)
      }
    }
    return stage
  }

  /// Bytes that one byte of a filter's result can stand for, at most.
  private static func ratio(_ filter: HDF5Table.Filter) throws(CheckpointError) -> Int {
    switch filter.number {
    case HDF5Table.Filter.gzip: Budget.deflateRatio
    case HDF5Table.Filter.lzf: LZF.ratio
    case HDF5Table.Filter.lz4: LZ4.ratio
    // Its blocks may be Zstandard frames.
    case HDF5Table.Filter.zstd, HDF5Table.Filter.blosc: Zstandard.ratio
    case HDF5Table.Filter.bitshuffle: try Bitshuffle(filter.values).ratio
    // Elements of one bit; and elements that are all equal, which take no bits.
    case HDF5Table.Filter.nbit: 64
    case HDF5Table.Filter.scaleOffset: Shape.limit
    default: 1
    }
  }

  private func undo(
    _ filter: HDF5Table.Filter, _ stage: any FilterStage, limit: Int
  ) throws(CheckpointError) -> any FilterStage {
    var input = FilterInput(stage, limit: limit)
    switch filter.number {
    case HDF5Table.Filter.shuffle:
      let bytes = try input.rest()
      let words = bytes.count / width * width
      let merged = try [UInt8](count: bytes.count) { target throws(CheckpointError) in
        var part = target._mutatingExtracting(..<words)
        Planes.merge(bytes.rawBytes.extracting(..<words), width: width, rotated: false, into: &part)
        var rest = target._mutatingExtracting(words...)
        rest.copyBytes(from: bytes.rawBytes.extracting(words...))
      }
      return SourceStage(ByteSource(merged, name: ""))
    case HDF5Table.Filter.fletcher32: return Fletcher32Stage(stage)
    case HDF5Table.Filter.gzip: return try GzipStage(input)
    case HDF5Table.Filter.lzf: return LZStage(input, LZF())
    case HDF5Table.Filter.lz4:
      let grammar = try LZ4(&input, limit: limit)
      return LZStage(input, grammar)
    case HDF5Table.Filter.zstd: return try ZstandardStage(input, limit: limit)
    case HDF5Table.Filter.blosc:
      // Its blocks are stored in any order.
      if let source = input.source { return try BloscStage.stage(source, limit: limit) }
      return try BloscStage.stage(ByteSource(try input.rest(), name: ""), limit: limit)
    case HDF5Table.Filter.bitshuffle:
      return try Bitshuffle(filter.values).stage(input, limit: limit)
    case HDF5Table.Filter.nbit:
      guard let filter = try NBit(filter.values) else { return stage }
      return SourceStage(ByteSource(try filter.unpack(try input.rest(), limit: limit), name: ""))
    case HDF5Table.Filter.scaleOffset:
      let filter = try ScaleOffset(filter.values)
      return SourceStage(ByteSource(try filter.unpack(try input.rest(), limit: limit), name: ""))
    default: throw CheckpointError(.unsupported, "is not supported")
    }
  }
}

/// A filter whose errors have its name.
private final class NamedStage: FilterStage {
  private let stage: any FilterStage
  private let name: String

  init(_ stage: any FilterStage, _ name: String) { (self.stage, self.name) = (stage, name) }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    do throws(CheckpointError) {
      return try stage.read(into: &target)
    } catch {
      throw Self.naming(name, error)
    }
  }

  /// The error with a filter's name, unless it already has one.
  static func naming(_ name: String, _ error: CheckpointError) -> CheckpointError {
    error.message.hasPrefix("filter ")
      ? error : CheckpointError(error.code, "filter \(name): \(error.message)")
  }
}
