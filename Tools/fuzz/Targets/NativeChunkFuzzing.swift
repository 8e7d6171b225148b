import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore

/// Chunks of `.ckz` files, whose sums are right.
enum NativeChunkFuzzing {
  /// One filter of each kind.
  static let names = [
    "planes-1", "planes-2", "planes-4", "planes-8", "planes-18", "planes-210", "rotated-planes-2",
    "rotated-planes-4", "rotated-planes-8", "bits-2", "bits-4", "bits-8", "palette-1", "palette-2",
    "palette-4", "palette-8", "differences-1", "differences-2", "differences-4", "differences-8",
    "f32+rotated-planes-4", "f32+bf16+rotated-planes-2", "f32+f16+bits-2", "f16+rotated-planes-2",
    "bf16+palette-2", "sparse+planes-4", "sparse+rotated-planes-4", "sparse+bits-2",
    "sparse+rotated-planes-8", "levels-4+rotated-planes-2", "levels-65536+bits-4",
    "f32+sparse+levels-1000+rotated-planes-4", "f32+planes-4", "bf16+differences-2",
    "delta+planes-1", "delta+planes-8", "delta+sparse+planes-4", "delta+sparse+bits-2",
    "delta+palette-4", "delta+differences-2",
  ]

  /// Decodes a chunk of `count` words: a zlib stream, or what one of stored blocks would hold.
  static func decode(
    _ bytes: [UInt8], filter name: String, count: Int, isStream: Bool
  ) throws(CheckpointError) {
    guard let filter = NativeFilter(name: name) else {
      preconditionFailure("unknown filter \(name)")
    }
    let stream = isStream ? bytes : stored(bytes)
    var target = [UInt8](repeating: 0, count: count * filter.wideWidth)
    let decoder = NativeChunkDecoder.pool.acquire()
    defer { NativeChunkDecoder.pool.release(decoder) }
    try target.fillBytes { target throws(CheckpointError) in
      try decoder.value.decode(stream.rawBytes, filter.ofDifferences, into: &target)
    }
    guard filter.needsBase else { return }
    let base = [UInt8](repeating: 0x5a, count: target.count)
    target.fillBytes { WordDeltas.decode(&$0, base: base.rawBytes, width: filter.width) }
  }

  /// A zlib stream of stored blocks.
  static func stored(_ content: [UInt8]) -> [UInt8] {
    var (stream, rest): ([UInt8], _) = ([0x78, 1], content[...])
    repeat {
      let part = rest.prefix(0xffff)
      rest = rest.dropFirst(0xffff)
      let (low, high) = (UInt8(part.count & 0xff), UInt8(part.count >> 8))
      stream += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high] + part
    } while !rest.isEmpty
    let sum = Checksum.adler32(content.rawBytes)
    return stream + (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
  }
}
