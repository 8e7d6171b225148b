import ByteIO
import CheckpointFormats
import HDF5
import TensorCore
import TestSupport

/// Decoders of compressed bytes.
extension FuzzTarget {
  /// Two bytes that choose, and the rest.
  private static func header(
    _ bytes: [UInt8], _ count: Int
  ) throws(CheckpointError) -> (choices: [Int], rest: [UInt8]) {
    guard bytes.count >= count else { throw CheckpointError(.malformed, "too few bytes") }
    return (bytes[..<count].map { Int($0) }, Array(bytes[count...]))
  }

  static let codecs: [FuzzTarget] = [
    Self("inflate") { bytes, _ in
      let (choices, stream) = try header(bytes, 2)
      let count = choices[0] | choices[1] << 8
      // With the sum of what zlib unpacks, so that all decoders come to the end.
      var unpacker = try Inflater()
      var made = [UInt8](repeating: 0, count: count)
      _ = try? made.fillBytes { target throws(CheckpointError) in
        try unpacker.unpack(stream.rawBytes, into: &target)
      }
      let sum = Checksum.adler32(made.rawBytes)
      let end = (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
      let whole = [0x78, 0x9c] + stream + end
      let expected = try? [UInt8](count: count) { target throws(CheckpointError) in
        try Zlib.inflate(whole.rawBytes, into: &target)
      }
      let found = try? [UInt8](count: count) { target throws(CheckpointError) in
        try PlaneCodec.decode(whole.rawBytes, width: 1, rotated: false, into: &target)
      }
      guard found == expected else {
        throw Finding("the kernel \(found == nil ? "refuses" : "accepts") what zlib does not")
      }
      var both = [UInt8](repeating: 0, count: 2 * count)
      let areBoth = both.fillBytes { target in
        PlaneCodec.decodeTwo(
          whole.rawBytes, whole.rawBytes, width: 1, rotated: false, into: &target, dividedAt: count)
      }
      // Two streams at once are only taken where both are sound.
      if areBoth, expected.map({ both == $0 + $0 }) != true {
        throw Finding("two streams at once are unpacked differently")
      }
      return nil
    },
    Self("chunk") { bytes, _ in
      let (choices, rest) = try header(bytes, 4)
      let names = NativeChunkFuzzing.names
      try NativeChunkFuzzing.decode(
        rest, filter: names[choices[0] % names.count], count: choices[1] | (choices[2] & 7) << 8,
        isStream: choices[3] & 1 == 1)
      return nil
    },
    Self("hdf5-filter") { bytes, _ in
      let (choices, rest) = try header(bytes, 8)
      let numbers = [
        HDF5Table.Filter.lzf, HDF5Table.Filter.lz4, HDF5Table.Filter.blosc,
        HDF5Table.Filter.bitshuffle, HDF5Table.Filter.zstd, HDF5Table.Filter.gzip,
        HDF5Table.Filter.fletcher32, HDF5Table.Filter.shuffle,
      ]
      let values = [0, 2, choices[5], 8 * choices[6], choices[7]]
      let filters = choices[..<(1 + choices[3] % 2)].map {
        HDF5Table.Filter(number: numbers[$0 % numbers.count], name: "f", values: values)
      }
      let pipeline = HDF5FilterPipeline(filters: filters, width: 1 + choices[2] % 16)
      _ = try [UInt8](count: choices[4] << 5) { target throws(CheckpointError) in
        try pipeline.undo(ByteSource(rest, name: "chunk"), mask: 0, into: &target)
      }
      return nil
    },
    Self("snappy") { bytes, _ in
      _ = try Snappy.unpacked(bytes, limit: 1 << 16)
      return nil
    },
  ]
}
