import Synchronization
package import TensorCore

/// The blocks made last, each made by the first task that wants part of it while others that want
/// it wait.
package final class BlockCache: Sendable {
  /// What a block is known by: whose it is and its first byte there.
  package struct Key: Hashable, Sendable {
    let address: UInt64
    let offset: Int

    package init(address: UInt64, offset: Int) {
      self.address = address
      self.offset = offset
    }
  }

  /// Bytes that are kept, unless two blocks alone have more.
  private let capacity: Int
  private let blocks = Mutex<[(key: Key, size: Int, block: Block)]>([])

  /// Keeps nothing yet.
  package init(capacity: Int = 24 << 20) { self.capacity = capacity }

  /// Bytes that are written once, in the lock, and from then on only read.
  private final class Block: @unchecked Sendable {
    private let isMade = Mutex(false)
    private var memory: ChunkBuffer

    init(capacity: Int) { memory = ChunkBuffer(capacity: capacity) }

    var capacity: Int { memory.capacity }

    /// Forgets the content, for someone who is alone with the block.
    func reset() { isMade.withLock { $0 = false } }

    func read<Failure: Error>(
      _ size: Int, madeBy make: (inout MutableRawSpan) throws(Failure) -> Void,
      _ use: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
      try isMade.withLock { isMade throws(Failure) in
        if isMade { return }
        try memory.fill(size, by: make)
        isMade = true
      }
      try memory.lend(size, to: use)
    }
  }

  /// Lets `use` have the bytes of a block of `size` bytes; `make` makes them if they are not there.
  package func read<Failure: Error>(
    _ key: Key, size: Int, madeBy make: (inout MutableRawSpan) throws(Failure) -> Void,
    _ use: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try block(key, size).read(size, madeBy: make, use)
  }

  /// Copies a part of a block of `size` bytes; `decode` makes its bytes if they are not there.
  package func copy(
    _ part: Range<Int>, of key: Key, size: Int, into target: inout MutableRawSpan,
    decodedBy decode: (inout MutableRawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try read(key, size: size, madeBy: decode) { bytes throws(CheckpointError) in
      target.copy(from: bytes.extracting(part))
    }
  }

  /// Forgets all blocks of one owner.
  package func remove(address: UInt64) {
    blocks.withLock { $0.removeAll { $0.key.address == address } }
  }

  private func block(_ key: Key, _ size: Int) -> Block {
    blocks.withLock { blocks in
      if let index = blocks.firstIndex(where: { $0.key == key }) {
        let found = blocks.remove(at: index)
        blocks.append(found)
        return found.block
      }
      var spare: Block?
      var kept = blocks.reduce(size) { $0 + $1.size }
      while kept > capacity, blocks.count > 1 {
        // Of two files that are read side by side, neither drives the other's blocks out.
        let index = blocks.firstIndex { $0.key.address == key.address } ?? 0
        var (_, oldSize, old) = blocks.remove(at: index)
        kept -= oldSize
        // Touched memory is valuable: reuse a block that nobody reads any more.
        if old.capacity >= size, isKnownUniquelyReferenced(&old) { spare = old }
      }
      spare?.reset()
      let block = spare ?? Block(capacity: size)
      blocks.append((key, size, block))
      return block
    }
  }
}
