import TensorCore

/// The most recently unpacked blocks of one source; the first task that needs a block makes it, and
/// others that need it wait.
///
/// Every source that unpacks has its own cache; all caches together have a limit, above which the
/// largest drops its oldest block, so that two sources read in parallel do not evict each other's
/// blocks.
package final class BlockCache: Sendable {
  /// Identifies a block within its source.
  package struct Key: Hashable, Sendable {
    let address: UInt64
    let offset: Int

    /// The block that begins at an offset of the part of the source at `address`.
    package init(address: UInt64 = 0, offset: Int) {
      self.address = address
      self.offset = offset
    }
  }

  private let capacity: Int
  private let memory: BlockMemory
  private let owner: UInt64

  /// A cache that keeps at most `capacity` bytes, unless one block alone has more.
  package convenience init(capacity: Int) { self.init(capacity: capacity, in: .shared) }

  init(capacity: Int, in memory: BlockMemory) {
    self.capacity = capacity
    self.memory = memory
    owner = memory.newOwner()
  }

  deinit { memory.remove(owner) }

  /// Passes a block of `size` bytes to `use`; `make` makes its bytes if they are not cached.
  package func read<Failure: Error>(
    _ key: Key, size: Int, madeBy make: (inout MutableRawSpan) throws(Failure) -> Void,
    _ use: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try memory.block(key, size, of: owner, capacity).read(size, madeBy: make, use)
  }

  /// Copies a part of a block of `size` bytes; `make` makes its bytes if they are not cached.
  package func copy<Failure: Error>(
    _ part: Range<Int>, of key: Key, size: Int, into target: inout MutableRawSpan,
    madeBy make: (inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try read(key, size: size, madeBy: make) { bytes throws(Failure) in
      target.copyBytes(from: bytes.extracting(part))
    }
  }

  /// Copies a part of a block if its bytes are cached; returns whether they were.
  package func copy(_ part: Range<Int>, of key: Key, into target: inout MutableRawSpan) -> Bool {
    memory.block(key, of: owner)?.readIfMade { target.copyBytes(from: $0.extracting(part)) }
      ?? false
  }

  /// Makes a block's bytes again, even if they are cached, and passes them to `use`.
  package func remake<Failure: Error>(
    _ key: Key, size: Int, by make: (inout MutableRawSpan) throws(Failure) -> Void,
    _ use: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    memory.remove(key, of: owner)
    try read(key, size: size, madeBy: make, use)
  }
}
