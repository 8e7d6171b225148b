import Synchronization

/// The blocks of all caches, of which some are given up when they have too many bytes together.
final class BlockMemory: Sendable {
  /// What all caches of the process share.
  static let shared = BlockMemory(limit: WorkLimits.cacheMemory)

  /// Blocks of one cache, the one that was used last at the end.
  private struct Shelf {
    var blocks: [(key: BlockCache.Key, size: Int, block: Block)] = []
    var bytes = 0

    mutating func take(_ index: Int) -> (key: BlockCache.Key, size: Int, block: Block) {
      bytes -= blocks[index].size
      return blocks.remove(at: index)
    }

    mutating func find(_ key: BlockCache.Key) -> Block? {
      guard let index = blocks.firstIndex(where: { $0.key == key }) else { return nil }
      blocks.append(blocks.remove(at: index))
      return blocks.last?.block
    }
  }

  private struct State {
    var shelves: [UInt64: Shelf] = [:]
    var owners: UInt64 = 0
    var bytes = 0

    /// Gives up the oldest block of an owner.
    mutating func giveUp(_ owner: UInt64) -> Block? {
      guard let oldest = shelves[owner]?.take(0) else { return nil }
      bytes -= oldest.size
      return oldest.block
    }
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  func newOwner() -> UInt64 {
    state.withLock { state in
      state.owners += 1
      return state.owners
    }
  }

  /// Forgets all blocks of an owner.
  func remove(_ owner: UInt64) {
    state.withLock { $0.bytes -= $0.shelves.removeValue(forKey: owner)?.bytes ?? 0 }
  }

  /// Forgets one block.
  func remove(_ key: BlockCache.Key, of owner: UInt64) {
    state.withLock { state in
      guard let index = state.shelves[owner]?.blocks.firstIndex(where: { $0.key == key }) else {
        return
      }
      state.bytes -= state.shelves[owner]?.take(index).size ?? 0
    }
  }

  /// A block, if it is there.
  func block(_ key: BlockCache.Key, of owner: UInt64) -> Block? {
    state.withLock { $0.shelves[owner]?.find(key) }
  }

  /// A block of `size` bytes, for which others are given up if it is new.
  func block(_ key: BlockCache.Key, _ size: Int, of owner: UInt64, _ capacity: Int) -> Block {
    state.withLock { state in
      if let found = state.shelves[owner]?.find(key) { return found }
      var spare: Block?
      func keep(_ block: Block?) {
        // Memory that has been touched is dear; a block that nobody reads any more serves again.
        if var block, block.capacity >= size, isKnownUniquelyReferenced(&block) { spare = block }
      }
      // A cache whose blocks are larger than its capacity still keeps one block beside the new one.
      while let mine = state.shelves[owner], mine.blocks.count > 1, mine.bytes + size > capacity {
        keep(state.giveUp(owner))
      }
      while state.bytes + size > limit {
        // Whoever asks is charged with the new block before the largest is chosen.
        func share(_ shelf: (key: UInt64, value: Shelf)) -> Int {
          shelf.value.bytes + (shelf.key == owner ? size : 0)
        }
        guard let largest = state.shelves.max(by: { share($0) < share($1) }),
          !largest.value.blocks.isEmpty
        else { break }
        keep(state.giveUp(largest.key))
      }
      spare?.reset()
      let block = spare ?? Block(capacity: size)
      state.shelves[owner, default: Shelf()].blocks.append((key, size, block))
      state.shelves[owner]?.bytes += size
      state.bytes += size
      return block
    }
  }

  /// Bytes that are written once, in the lock, and from then on only read.
  final class Block: @unchecked Sendable {
    private let madeCount = Mutex<Int?>(nil)
    private var memory: ChunkBuffer
    /// Size of the memory, which others may ask for while the bytes are made.
    let capacity: Int

    init(capacity: Int) {
      let memory = ChunkBuffer(capacity: capacity)
      self.capacity = memory.capacity
      self.memory = memory
    }

    /// Forgets the content, for someone who is alone with the block.
    func reset() { madeCount.withLock { $0 = nil } }

    func read<Failure: Error>(
      _ size: Int, madeBy make: (inout MutableRawSpan) throws(Failure) -> Void,
      _ use: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
      // The lock is held while the bytes are made, so that others who need them wait. Afterward
      // nobody writes, so they are read without it.
      try madeCount.withLock { madeCount throws(Failure) in
        if madeCount != nil { return }
        try memory.fill(size, by: make)
        madeCount = size
      }
      try memory.lend(size, to: use)
    }

    /// Passes the bytes to `use` if they have been made; returns whether they were.
    func readIfMade(_ use: (RawSpan) -> Void) -> Bool {
      guard let count = madeCount.withLock({ $0 }) else { return false }
      memory.lend(count, to: use)
      return true
    }
  }
}
