import ByteIO
import ParallelWork
import TensorCore

/// How the chunks of an HDF5 file are packed: always so that shuffle and deflate unpack them.
enum HDF5Packing: Hashable, Sendable {
  /// Each plane by what it holds, several times as fast as zlib packs.
  case planes
  /// By zlib, at a level of 1 to 9.
  case gzip(level: Int)

  /// What a compression that HDF5 files have means for them; `nil` for tensors as they are.
  static func of(_ compression: WriteOptions.Compression) -> HDF5Packing? {
    switch compression {
    case .standard, .planes, .fastPlanes, .smallPlanes: .planes
    case .none: nil
    case .gzip(let level): .gzip(level: level)
    }
  }

  /// The level that the file names, for programs that pack the dataset again.
  var level: Int {
    switch self {
    // Programs that pack the dataset again then use h5py's default; our streams do not depend on
    // it.
    case .planes: 4
    case .gzip(let level): level
    }
  }

  /// Packs a chunk of elements of `width` bytes into `target`, which needs room for
  /// `PlaneCodec.maxStreamSize`, and answers how many bytes the stream has.
  func pack(
    _ chunk: RawSpan, width: Int, into target: inout MutableRawSpan, planes: inout ChunkBuffer
  ) throws(CheckpointError) -> Int {
    switch self {
    case .planes:
      return PlaneCodec.encode(chunk, width: width, rotated: false, into: &target)
    case .gzip(let level):
      let count = chunk.byteCount
      if planes.capacity < count { planes = ChunkBuffer(capacity: count) }
      var shuffled = planes.mutableBytes(count)
      Planes.split(chunk, width: width, rotated: false, into: &shuffled)
      let stream = try Zlib.deflate(planes.bytes(count), level: level)
      var part = target._mutatingExtracting(..<stream.count)
      part.copyBytes(from: stream.rawBytes)
      return stream.count
    }
  }
}
