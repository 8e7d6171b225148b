import TensorCore

/// The filter lzf, which comes with h5py: each chunk is one stream of LibLZF.
///
/// Source: LibLZF 3.6 `lzf_d.c`, as in h5py's `lzf/lzf/lzf_d.c`.
enum LZF {
  /// Bytes that one byte of a stream can stand for, at most: 264 from 3.
  private static let ratio = 88

  /// Unpacks a stream of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError`` `malformed`.
  static func decode(_ source: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: min(limit, source.count.saturated(times: ratio)))
    var end = 0
    var position = 0
    while position < source.count {
      let control = Int(source[position])
      position += 1
      if control < 32 {
        // A run of bytes as they are.
        let count = control + 1
        guard count <= source.count - position else { throw cutShort(at: position) }
        guard count <= target.count - end else { throw tooLong(limit) }
        for index in 0..<count { target[end + index] = source[position + index] }
        position += count
        end += count
        continue
      }
      // A copy of earlier bytes, which may overlap those that it makes.
      var count = control >> 5
      if count == 7 {
        guard position < source.count else { throw cutShort(at: position) }
        count += Int(source[position])
        position += 1
      }
      count += 2
      guard position < source.count else { throw cutShort(at: position) }
      let distance = (control & 31) << 8 + Int(source[position]) + 1
      position += 1
      guard distance <= end else {
        throw CheckpointError(
          .malformed, "lzf: refers \(distance) bytes back, but only \(end) were unpacked")
      }
      guard count <= target.count - end else { throw tooLong(limit) }
      for index in end..<end + count { target[index] = target[index - distance] }
      end += count
    }
    target.removeLast(target.count - end)
    return target
  }

  private static func cutShort(at position: Int) -> CheckpointError {
    CheckpointError(.malformed, "lzf: the stream ends within a token, after \(position) bytes")
  }

  private static func tooLong(_ limit: Int) -> CheckpointError {
    CheckpointError(.malformed, "lzf: the stream holds more than \(limit) bytes")
  }
}
