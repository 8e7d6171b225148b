import ParallelWork
package import Ranks
import Synchronization
public import TensorCore

/// New bytes that become visible all at once, when they are committed.
///
/// A sink that is dropped without ``commit()`` leaves no trace, except for a pipe, which has already
/// passed the bytes on. A new kind of storage is one file that calls
/// ``init(name:abilities:write:commit:)``.
public final class ByteSink: Sendable {
  /// What a sink can do besides appending.
  public struct Abilities: Hashable, Sendable {
    /// Whether ``ByteSink/write(_:at:)`` can put bytes anywhere, in any order, from any task.
    public var writesAnywhere: Bool
    /// Where a C library in this process can open the new bytes for reading and writing, if
    /// anywhere: a path to an open descriptor, so that no name on disk is involved.
    package var descriptorPath: String?

    /// Lists what a sink can do.
    public init(writesAnywhere: Bool = false) { self.writesAnywhere = writesAnywhere }
  }

  /// Stores all of `bytes` from byte `offset` on; without positioned writes the offset is always
  /// the number of bytes stored before.
  public typealias Writer =
    @Sendable (_ bytes: RawSpan, _ offset: Int) throws(CheckpointError) -> Void

  /// Has the system copy bytes of a local file, from one offset to another; returns how many it
  /// copied, which is 0 where the system cannot.
  typealias Copier =
    @Sendable (_ file: LocalFile, _ range: Range<Int>, _ offset: Int) throws(CheckpointError) -> Int

  /// What errors call it: the path as the user gave it, or `standard output`.
  public let name: String
  /// What it can do besides appending.
  public let abilities: Abilities
  /// Who writes it together: what is appended is written by the rank whose turn it is, and only
  /// counted by the others.
  package let ranks: Ranks
  private let writer: Writer
  private let copier: Copier?
  private let committer: @Sendable () throws(CheckpointError) -> Void
  private let state: Mutex<(position: Int, isCommitted: Bool)>

  /// Makes a sink of a new kind; what `write` and `commit` capture discards the bytes when it is
  /// released before a commit.
  public convenience init(
    name: String, abilities: Abilities = Abilities(), write: @escaping Writer,
    commit: @escaping @Sendable () throws(CheckpointError) -> Void
  ) {
    self.init(name: name, abilities: abilities, write: write, copy: nil, commit: commit)
  }

  /// As ``init(name:abilities:write:commit:)``, for a sink that may get bytes without this process
  /// reading them.
  init(
    name: String, abilities: Abilities, position: Int = 0, ranks: Ranks = .alone,
    write: @escaping Writer, copy: Copier?,
    commit: @escaping @Sendable () throws(CheckpointError) -> Void
  ) {
    self.ranks = ranks
    self.name = name
    self.abilities = abilities
    writer = write
    copier = copy
    committer = commit
    state = Mutex((position, false))
  }

  /// Number of bytes appended so far, and so the offset of the next ones.
  public var position: Int { state.withLock { $0.position } }

  /// Writes all of `bytes` after those appended before; one task at a time may append.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` with the system's words and the offset; the sink is of
  ///   no use after that.
  public func append(_ bytes: RawSpan) throws(CheckpointError) {
    try append(bytes, count: bytes.byteCount)
  }

  /// The same for `count` bytes that only the rank has whose turn it is.
  package func append(_ bytes: RawSpan, count: Int) throws(CheckpointError) {
    let start = beginWrite()
    if count == 0 { return }
    if ranks.hasTurn {
      precondition(bytes.byteCount == count, "bytes of another rank")
      try writer(bytes, start)
    }
    state.withLock { $0.position = start + count }
  }

  /// Appends the bytes in a range of a source, which must be inside it.
  ///
  /// From one local file to another the system copies: file systems that can do so share the blocks
  /// and copy nothing.
  /// - Throws: as ``append(_:)``, and what reading the source throws.
  package func append(_ range: Range<Int>, of source: ByteSource) throws(CheckpointError) {
    var range = range
    if ranks.size == 1, let copier, let local = source.local, range.upperBound <= source.size {
      let start = beginWrite()
      let bytes = local.start + range.lowerBound..<local.start + range.upperBound
      let count = try copier(local.file, bytes, start)
      try source.confirmUnchanged()
      state.withLock { $0.position = start + count }
      range = range.lowerBound + count..<range.upperBound
    }
    if range.isEmpty { return }
    var buffer = ChunkBuffer()
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: buffer.capacity) {
      let count = min(buffer.capacity, range.upperBound - offset)
      try buffer.fill(count) { target throws(CheckpointError) in
        try source.read(at: offset, into: &target)
      }
      try append(buffer.bytes(count))
    }
  }

  /// Writes all of `bytes` from byte `offset` on, from any number of tasks at once; the position
  /// for appending stays.
  ///
  /// Requires ``Abilities/writesAnywhere``.
  /// - Throws: as ``append(_:)``.
  public func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    precondition(abilities.writesAnywhere && offset >= 0, "a positioned write to a stream")
    _ = beginWrite()
    if bytes.byteCount > 0 { try writer(bytes, offset) }
  }

  /// Continues appending at byte `position`, up to which positioned writes have come.
  package func advance(to position: Int) {
    precondition(abilities.writesAnywhere, "a positioned write to a stream")
    state.withLock { state in
      precondition(position >= state.position, "a sink goes on, never back")
      state.position = position
    }
  }

  /// Writes all of `bytes`, which every rank has, from byte `offset` on, by one of them.
  package func overwrite(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    if ranks.isFirst { try write(bytes, at: offset) }
  }

  /// Appends zeros up to the next multiple of `alignment`.
  public func pad(toMultipleOf alignment: Int) throws(CheckpointError) {
    let rest = position % alignment
    if rest == 0 { return }
    let zeros = [UInt8](repeating: 0, count: alignment - rest)
    try append(zeros.rawBytes)
  }

  /// Makes the bytes visible as a whole, and durable where the storage can promise that; nothing
  /// may be written afterward.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when the system refuses; nothing has changed then.
  public func commit() throws(CheckpointError) {
    let isFirst = state.withLock { state in
      defer { state.isCommitted = true }
      return !state.isCommitted
    }
    precondition(isFirst, "a sink is committed once")
    try committer()
  }

  private func beginWrite() -> Int {
    state.withLock { state in
      precondition(!state.isCommitted, "a write to a committed sink")
      return state.position
    }
  }
}

extension ByteSink {
  /// Memory; `receive` gets all bytes when they are committed, and may refuse them.
  public static func memory(
    name: String, receive: @escaping @Sendable ([UInt8]) throws(CheckpointError) -> Void
  ) -> ByteSink {
    let bytes = SharedBytes()
    return ByteSink(name: name, abilities: Abilities(writesAnywhere: true)) {
      part, offset throws(CheckpointError) in
      bytes.content.withLock { content in
        // A positioned write may leave a gap, which reads as zeros, as in a file.
        let missing = offset + part.byteCount - content.count
        if missing > 0 { content.append(contentsOf: repeatElement(0, count: missing)) }
        var elements = content.mutableSpan
        var whole = unsafe elements.mutableBytes
        var target = whole._mutatingExtracting(offset..<offset + part.byteCount)
        target.copyBytes(from: part)
      }
    } commit: { () throws(CheckpointError) in
      try receive(bytes.content.withLock { $0 })
    }
  }
}

/// The bytes of a sink in memory.
private final class SharedBytes: Sendable {
  let content = Mutex<[UInt8]>([])
}
