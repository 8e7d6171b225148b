import ByteIO
import TensorCore

/// The filter lzf, which comes with h5py: each chunk is one stream of LibLZF.
///
/// Source: LibLZF 3.6 `lzf_d.c`, as in h5py's `lzf/lzf/lzf_d.c`.
struct LZF: LZGrammar {
  /// Bytes that one byte of a stream can stand for, at most: 264 from 3.
  static let ratio = 88

  mutating func next(_ input: inout FilterInput, made: Int) throws(CheckpointError) -> LZStep? {
    guard try input.hasMore() else { return nil }
    let control = Int(try input.byte())
    if control < 32 { return .literals(control + 1) }
    var count = control >> 5
    if count == 7 { count += Int(try input.byte()) }
    let distance = (control & 31) << 8 + Int(try input.byte()) + 1
    guard distance <= made else {
      throw CheckpointError(
        .malformed, "lzf: refers \(distance) bytes back, but only \(made) were unpacked")
    }
    return .match(distance: distance, count: count + 2)
  }

  func unpack(
    _ input: inout FilterInput, into window: inout LZWindow
  ) throws(CheckpointError) {
    try input.take { bytes throws(CheckpointError) in window.unpackLZF(bytes) }
  }
}
