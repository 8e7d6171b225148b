import Synchronization
package import TensorCore

/// Bytes that have to be made before they can be read by position: made once, when they are first
/// asked for, in memory if they are few, else in a temporary file without a name.
package final class MadeSource: Sendable {
  /// Writes all of the bytes.
  package typealias Maker = @Sendable (ByteSink) throws(CheckpointError) -> Void

  private let name: String
  private let size: Int
  private let make: Maker
  private let made = Mutex<ByteSource?>(nil)

  /// Largest content that is kept in memory, in bytes.
  private static let maxMemory = 1 << 16

  /// Describes `size` bytes that `make` will write; `name` is what errors call them.
  package init(name: String, size: Int, make: @escaping Maker) {
    self.name = name
    self.size = size
    self.make = make
  }

  /// The bytes.
  ///
  /// - Throws: what making them throws, and ``CheckpointError`` `malformed` when their number differs.
  package var source: ByteSource {
    get throws(CheckpointError) {
      try made.withLock { made throws(CheckpointError) in
        if let made { return made }
        let new = try self.new()
        guard new.size == size else {
          throw CheckpointError(.malformed, "expected \(size) bytes of values, found \(new.size)")
        }
        made = new
        return new
      }
    }
  }

  private func new() throws(CheckpointError) -> ByteSource {
    guard size <= Self.maxMemory else {
      let file = try ByteSink.temporary(for: name)
      try make(file)
      return try file.readBack()
    }
    let memory = MemoryFiles()
    let sink = try memory.place.create(name, replacing: true)
    try make(sink)
    try sink.commit()
    return ByteSource(memory.bytes(of: name) ?? [], name: name)
  }
}

extension ByteSource {
  /// Several ranges of this source, one after the other, as a source.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when a range is outside this source.
  package func joined(_ ranges: [Range<Int>]) throws(CheckpointError) -> ByteSource {
    if ranges.count == 1 { return try part(ranges[0]) }
    var parts: [(start: Int, source: ByteSource)] = []
    var size = 0
    for range in ranges where !range.isEmpty {
      parts.append((size, try part(range)))
      size += range.count
    }
    return ByteSource(name: name, size: size) { [parts] offset, target throws(CheckpointError) in
      var done = 0
      // The last part that begins at or before the offset.
      var index = parts.partitioningIndex { $0.start > offset } - 1
      while done < target.byteCount {
        let (start, source) = parts[index]
        let inside = offset + done - start
        let count = min(source.size - inside, target.byteCount - done)
        var piece = target._mutatingExtracting(done..<done + count)
        try source.read(at: inside, into: &piece)
        done += count
        index += 1
      }
    }
  }
}
