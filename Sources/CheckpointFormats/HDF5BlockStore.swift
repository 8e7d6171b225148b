import Synchronization
package import TensorCore

/// The blocks decoded last, each decoded by the first task that wants part of it while others that
/// want it wait.
package final class HDF5BlockStore: Sendable {
  /// What a block is known by: its dataset and its first byte in there.
  package struct Key: Hashable, Sendable {
    let address: UInt64
    let offset: Int

    package init(address: UInt64, offset: Int) {
      self.address = address
      self.offset = offset
    }
  }

  /// Keeps nothing yet.
  package init() {}

  private final class Block: Sendable {
    let content = Mutex(Content())
  }

  private struct Content: ~Copyable {
    var bytes = ChunkBuffer(capacity: 0)
    var isDecoded = false
  }

  /// Bytes that are kept, unless two blocks alone have more.
  private static let capacity = 24 << 20

  private let blocks = Mutex<[(key: Key, size: Int, block: Block)]>([])

  /// Copies a part of a block of `size` bytes; `decode` makes its bytes if they are not there.
  package func copy(
    _ part: Range<Int>, of key: Key, size: Int, into target: inout MutableRawSpan,
    decodedBy decode: (inout MutableRawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let block = block(key, size)
    try block.content.withLock { content throws(CheckpointError) in
      if !content.isDecoded {
        if content.bytes.capacity < size { content.bytes = ChunkBuffer(capacity: size) }
        var bytes = content.bytes.mutableBytes(size)
        try decode(&bytes)
        content.isDecoded = true
      }
      target.copy(from: content.bytes.bytes(size).extracting(part))
    }
  }

  private func block(_ key: Key, _ size: Int) -> Block {
    blocks.withLock { blocks in
      if let index = blocks.firstIndex(where: { $0.key == key }) {
        let found = blocks.remove(at: index)
        blocks.append(found)
        return found.block
      }
      var kept = blocks.reduce(size) { $0 + $1.size }
      while kept > Self.capacity, blocks.count > 1 { kept -= blocks.removeFirst().size }
      let block = Block()
      blocks.append((key, size, block))
      return block
    }
  }
}
