import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Undoes the filters of a chunk in any order, one after the other.
///
/// Pipelines of only shuffle, gzip, and fletcher32 have a faster way in `HDF5ChunkDecoder`.
struct HDF5FilterPipeline: Sendable {
  /// Filters in the order in which they were applied.
  let filters: [HDF5Table.Filter]
  /// Width in bytes of the words that shuffle divides.
  let width: Int

  /// Unpacks a stored chunk, which must fill `target`; bit i of `mask` is set if filter i was skipped.
  ///
  /// - Throws: ``CheckpointError``, with the filter's name in it.
  func undo(
    _ stored: RawSpan, mask: UInt32, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let applied = filters.enumerated().filter { index, _ in
      index >= 32 || mask >> UInt32(index) & 1 == 0
    }.map(\.element)
    let sizes = try sizes(applied, of: target.byteCount)
    var bytes = [UInt8](count: stored.byteCount) { $0.copyBytes(from: stored) }
    for (filter, size) in zip(applied, sizes).reversed() {
      do throws(CheckpointError) {
        // Filters expand what they cannot pack by little.
        let limit = size ?? [target.byteCount.saturated(times: 2), 1 << 16].saturatedSum()
        bytes = try undo(filter, bytes, limit: limit)
        if let size, bytes.count != size {
          throw CheckpointError(.malformed, "expected \(size) bytes, found \(bytes.count)")
        }
      } catch {
        throw CheckpointError(error.code, "filter \(filter.name): \(error.message)")
      }
    }
    guard bytes.count == target.byteCount else {
      throw CheckpointError(
        .malformed, "expected \(target.byteCount) stored bytes, found \(bytes.count)")
    }
    target.copyBytes(from: bytes.rawBytes)
  }

  /// The size in bytes of what each filter was applied to; `nil` after one that packs.
  private func sizes(
    _ applied: [HDF5Table.Filter], of chunkSize: Int
  ) throws(CheckpointError) -> [Int?] {
    var size: Int? = chunkSize
    var sizes: [Int?] = []
    for filter in applied {
      sizes.append(size)
      switch filter.number {
      case HDF5Table.Filter.shuffle: break
      case HDF5Table.Filter.fletcher32: size = size.map { $0 + 4 }
      case HDF5Table.Filter.bitshuffle:
        if try !Bitshuffle(filter.values).keepsSize { size = nil }
      default: size = nil
      }
    }
    return sizes
  }

  private func undo(
    _ filter: HDF5Table.Filter, _ bytes: [UInt8], limit: Int
  ) throws(CheckpointError) -> [UInt8] {
    switch filter.number {
    case HDF5Table.Filter.shuffle:
      let words = bytes.count / width * width
      return try [UInt8](count: bytes.count) { target throws(CheckpointError) in
        var part = target._mutatingExtracting(..<words)
        Planes.merge(bytes.rawBytes.extracting(..<words), width: width, rotated: false, into: &part)
        var rest = target._mutatingExtracting(words...)
        rest.copyBytes(from: bytes.rawBytes.extracting(words...))
      }
    case HDF5Table.Filter.fletcher32:
      let content = try HDF5ChunkDecoder.summed(bytes.rawBytes).byteCount
      return Array(bytes.prefix(content))
    case HDF5Table.Filter.gzip:
      guard limit <= bytes.count.saturated(times: Budget.deflateRatio) else {
        throw CheckpointError(.malformed, "\(bytes.count) bytes cannot expand to \(limit)")
      }
      return try [UInt8](count: limit) { target throws(CheckpointError) in
        try Zlib.inflate(bytes.rawBytes, into: &target)
      }
    case HDF5Table.Filter.lzf: return try LZF.decode(bytes, limit: limit)
    case HDF5Table.Filter.lz4: return try LZ4.decode(bytes, limit: limit)
    case HDF5Table.Filter.zstd: return try Zstandard.decode(bytes, limit: limit)
    case HDF5Table.Filter.blosc: return try Blosc.decode(bytes, limit: limit)
    case HDF5Table.Filter.bitshuffle:
      return try Bitshuffle(filter.values).decode(bytes, limit: limit)
    default: throw CheckpointError(.unsupported, "is not supported")
    }
  }
}
