import Glibc
public import TensorCore

/// Memory that is reused from chunk to chunk: on a first touch of fresh pages the system spends
/// more time than this project does on the bytes in them.
@safe
public struct ChunkBuffer: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer

  /// The usual size of a chunk, in bytes: what is read, compressed or compared at once.
  public static let standardSize = 1 << 20

  /// Size in bytes of a large page, whose first touch costs the system an eighth of the time per byte.
  private static let largePage = 2 << 20

  /// Reserves `capacity` bytes, aligned to 64.
  public init(capacity: Int = Self.standardSize) {
    let isLarge = capacity >= 2 * Self.largePage
    unsafe memory = .allocate(
      byteCount: max(capacity, 1), alignment: isLarge ? Self.largePage : 64)
    // Only a wish: a system without such pages refuses it.
    if isLarge { unsafe _ = madvise(memory.baseAddress, capacity, MADV_HUGEPAGE) }
  }

  deinit { unsafe memory.deallocate() }

  /// Bytes reserved.
  public var capacity: Int { unsafe memory.count }

  /// The first `count` bytes, to read.
  @_lifetime(borrow self)
  public func bytes(_ count: Int) -> RawSpan {
    precondition(count >= 0 && count <= capacity, "more bytes than the buffer has")
    let part = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
    return unsafe _overrideLifetime(part.bytes, borrowing: self)
  }

  /// The first `count` bytes, to write.
  @_lifetime(&self)
  public mutating func mutableBytes(_ count: Int) -> MutableRawSpan {
    precondition(count >= 0 && count <= capacity, "more bytes than the buffer has")
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    return unsafe _overrideLifetime(part.mutableBytes, mutating: &self)
  }

  /// Lets `body` write the first `count` bytes, for a buffer that an object holds.
  package mutating func fill<Failure: Error>(
    _ count: Int, by body: (inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    var bytes = mutableBytes(count)
    try body(&bytes)
  }

  /// Lets `body` read the first `count` bytes, for a buffer that an object holds.
  package func lend<Failure: Error>(
    _ count: Int, to body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try body(bytes(count))
  }
}

extension Checkpoint.Entry {
  /// Reads the tensor once from end to end, a chunk at a time, in order.
  ///
  /// `body` gets the byte offset of each chunk in the tensor and its bytes.
  public func forEachChunk(
    using buffer: inout ChunkBuffer, _ body: (_ offset: Int, _ bytes: RawSpan) throws -> Void
  ) throws {
    for offset in stride(from: 0, to: info.byteCount, by: buffer.capacity) {
      let count = min(buffer.capacity, info.byteCount - offset)
      let bytes = try read(offset, count, using: &buffer)
      try body(offset, bytes)
    }
  }

  /// Reads `count` bytes from byte `offset` into the buffer, which must be large enough.
  @_lifetime(&buffer)
  public func read(
    _ offset: Int, _ count: Int, using buffer: inout ChunkBuffer
  ) throws -> RawSpan {
    var target = buffer.mutableBytes(count)
    try read(offset..<offset + count, into: &target)
    return buffer.bytes(count)
  }
}
