import CKernels
import Glibc
import ParallelWork
import TensorCore

/// The latest bytes of a stream of the LZ77 family as it is unpacked, to which matches refer.
package struct LZWindow: ~Copyable {
  /// Largest distance of a match.
  package static let reach = 1 << 16
  /// Bytes that are unpacked before the oldest are dropped.
  private static let step = 3 << 16

  private var buffer = ChunkBuffer(capacity: reach + step)
  /// The number in the stream of the buffer's first byte.
  private var start = 0
  /// Bytes of the stream that were unpacked.
  package private(set) var made = 0

  package init() {}

  /// Bytes that can be added before ``slide()``.
  package var room: Int { buffer.capacity - (made - start) }

  /// Drops bytes that are out of reach; there is room for others then.
  package mutating func slide() {
    let dropped = made - start - Self.reach
    guard dropped > 0 else { return }
    var bytes = buffer.mutableBytes(buffer.capacity)
    unsafe bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      _ = unsafe memmove(base, base + dropped, Self.reach)
    }
    start += dropped
  }

  /// Bytes that were unpacked since the last ``slide()``, by their numbers in the stream.
  @_lifetime(borrow self)
  package func bytes(_ range: Range<Int>) -> RawSpan {
    buffer.bytes(made - start).extracting(range.lowerBound - start..<range.upperBound - start)
  }

  /// Adds bytes as they are.
  package mutating func append(_ bytes: RawSpan) {
    let position = made - start
    var all = buffer.mutableBytes(buffer.capacity)
    var target = all._mutatingExtracting(position..<position + bytes.byteCount)
    target.copyBytes(from: bytes)
    made += bytes.byteCount
  }

  /// Adds bytes that repeat those `distance` bytes before, which may overlap them.
  package mutating func append(repeating count: Int, distance: Int) {
    let position = made - start
    precondition(
      distance > 0 && distance <= position && count <= room, "a match outside the window")
    var bytes = buffer.mutableBytes(buffer.capacity)
    unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe ckpt_lz_repeat(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), position, distance, count)
    }
    made += count
  }

  /// Unpacks steps of LibLZF while they are whole, refer to what is here, and find room, up to the last
  /// few; returns how many bytes of the source they took.
  package mutating func unpackLZF(_ source: RawSpan) -> Int {
    var (taken, count) = (0, 0)
    let position = made - start
    var bytes = buffer.mutableBytes(buffer.capacity)
    unsafe source.withUnsafeBytes { source in
      unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe count = ckpt_lzf_unpack(
          source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count, &taken,
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), position, bytes.count)
      }
    }
    made += count
    return taken
  }
}
