import CZlib
import ParallelWork
import TensorCore

/// Packs bytes as a raw deflate stream (RFC 1951) piece by piece with the system's zlib, which gives
/// the bytes that Python's `zipfile` writes.
@safe
struct Deflater: ~Copyable {
  // zlib keeps the address, so the state must not move.
  private let state: UnsafeMutablePointer<z_stream>
  private var packed = ChunkBuffer(capacity: 1 << 18)

  /// Most bytes that zlib is given at once; it counts in 32 bits.
  private static let maxInput = 1 << 30

  /// Begins a stream; `level` is 1 to 9.
  ///
  /// - Throws: ``CheckpointError`` `system` when there is not enough memory.
  init(level: Int32) throws(CheckpointError) {
    unsafe state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    // A window of 32 KiB without header and checksum, and zlib's default memory.
    let status = unsafe deflateInit2_(
      state, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    guard status == Z_OK else {
      throw CheckpointError(.system, "zlib cannot allocate memory to deflate")
    }
  }

  deinit {
    unsafe deflateEnd(state)
    unsafe state.deallocate()
  }

  /// Packs all of `bytes` and hands over what is ready.
  mutating func pack(
    _ bytes: RawSpan, _ put: (RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    for start in stride(from: 0, to: bytes.byteCount, by: Self.maxInput) {
      let end = min(start + Self.maxInput, bytes.byteCount)
      try run(bytes.extracting(start..<end), Z_NO_FLUSH, put)
    }
  }

  /// Ends the stream and hands over the rest.
  mutating func finish(_ put: (RawSpan) throws(CheckpointError) -> Void) throws(CheckpointError) {
    try run(RawSpan(), Z_FINISH, put)
  }

  private mutating func run(
    _ bytes: RawSpan, _ flush: Int32, _ put: (RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var (consumed, made) = (0, 0)
    let (state, capacity) = unsafe (state, packed.capacity)
    repeat {
      var target = packed.mutableBytes(capacity)
      // With memory to write to, deflate cannot fail.
      let step = unsafe state.run(bytes.extracting(consumed...), into: &target) {
        unsafe deflate($0, flush)
      }
      consumed += step.taken
      made = step.made
      if made > 0 { try put(packed.bytes(made)) }
      // zlib has all when it leaves some of the memory.
    } while made == capacity
  }
}
