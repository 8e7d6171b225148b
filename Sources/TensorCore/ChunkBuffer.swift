/// Memory that is reused from chunk to chunk: on a first touch of fresh pages the system spends
/// more time than this project does on the bytes in them.
@safe
public struct ChunkBuffer: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer

  /// The usual size of a chunk, in bytes: what is read, compressed or compared at once.
  public static let standardSize = 1 << 20

  /// Reserves `capacity` bytes, aligned to 64.
  public init(capacity: Int = Self.standardSize) {
    unsafe memory = .allocate(byteCount: max(capacity, 1), alignment: 64)
  }

  deinit { unsafe memory.deallocate() }

  /// Bytes reserved.
  public var capacity: Int { unsafe memory.count }

  /// The first `count` bytes, to read.
  @_lifetime(borrow self)
  public func bytes(_ count: Int) -> RawSpan {
    let part = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
    return unsafe _overrideLifetime(part.bytes, borrowing: self)
  }

  /// The first `count` bytes, to write.
  @_lifetime(&self)
  public mutating func mutableBytes(_ count: Int) -> MutableRawSpan {
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    return unsafe _overrideLifetime(part.mutableBytes, mutating: &self)
  }
}

extension Checkpoint.Entry {
  /// Reads the tensor once from end to end, a chunk at a time, in order.
  ///
  /// `body` gets the byte offset of each chunk in the tensor and its bytes.
  public func forEachChunk(
    using buffer: inout ChunkBuffer, _ body: (_ offset: Int, _ bytes: RawSpan) throws -> Void
  ) throws {
    var offset = 0
    while offset < info.byteCount {
      let end = min(offset + buffer.capacity, info.byteCount)
      var target = buffer.mutableBytes(end - offset)
      try read(offset..<end, into: &target)
      try body(offset, buffer.bytes(end - offset))
      offset = end
    }
  }
}
