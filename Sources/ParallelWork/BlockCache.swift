import TensorCore

/// The blocks of one source that were unpacked last, each made by the first task that wants part of
/// it while others that want it wait.
///
/// Every source that unpacks has a cache with a share of its own; all caches together have a limit,
/// above which the largest gives up its oldest block, so that of two sources that are read side by
/// side neither drives out the other's blocks.
package final class BlockCache: Sendable {
  /// What a block is known by within its source.
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

  /// Lets `use` have the bytes of a block of `size` bytes; `make` makes them if they are not there.
  package func read<Failure: Error>(
    _ key: Key, size: Int, madeBy make: (inout MutableRawSpan) throws(Failure) -> Void,
    _ use: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try memory.block(key, size, of: owner, capacity).read(size, madeBy: make, use)
  }

  /// Copies a part of a block of `size` bytes; `make` makes its bytes if they are not there.
  package func copy<Failure: Error>(
    _ part: Range<Int>, of key: Key, size: Int, into target: inout MutableRawSpan,
    madeBy make: (inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try read(key, size: size, madeBy: make) { bytes throws(Failure) in
      target.copyBytes(from: bytes.extracting(part))
    }
  }

  /// Copies a part of a block if its bytes are there; says whether they were.
  package func copy(_ part: Range<Int>, of key: Key, into target: inout MutableRawSpan) -> Bool {
    memory.block(key, of: owner)?.readIfMade { target.copyBytes(from: $0.extracting(part)) }
      ?? false
  }

  /// Makes a block's bytes anew, even if they are there, and lets `use` have them.
  package func remake<Failure: Error>(
    _ key: Key, size: Int, by make: (inout MutableRawSpan) throws(Failure) -> Void,
    _ use: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    memory.remove(key, of: owner)
    try read(key, size: size, madeBy: make, use)
  }
}
