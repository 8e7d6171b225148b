import CheckpointFormats
import CheckpointKit
import Glibc
import ParallelWork
import Synchronization
import TensorCore
import TorchRandom

/// What `bench storage` measures of this project: does its job once for each line of standard
/// input and answers the seconds that it took.
///
///     StorageBench write THREADS COMPRESSION SOURCE TARGET   tensors in memory to a new file
///     StorageBench read THREADS FILE     every byte of every tensor, into memory that is touched already
///     StorageBench load THREADS FILE     the same into fresh memory, all of it held at once
///     StorageBench open THREADS FILE     the list of tensors
///     StorageBench hash THREADS FILE     the fingerprint, every byte read
///     StorageBench check THREADS FILE    every checksum
///     StorageBench diff THREADS A B      what differs
@main
struct Storage {
  static func main() async throws {
    let words = CommandLine.arguments
    let (job, threads, file) = (words[1], Int(words[2])!, words[3])
    switch job {
    case "write":
      let checkpoint = try await held(CheckpointSource.open(words[4]).checkpoint, threads: threads)
      var options = WriteOptions()
      options.threads = threads
      options.compression = WriteOptions.Compression(named: file) ?? .standard
      let target = try CheckpointTarget(words[5], options: options, overwrites: true)
      try await loop {
        _ = unsafe unlink(words[5])
      } work: {
        try await target.write(checkpoint)
      }
    case "load":
      try await loop {
        try await held(CheckpointSource.open(file).checkpoint, threads: threads)
      }
    case "read": try await loop { try await read(file, threads: threads) }
    case "open": try await loop { try CheckpointSource.open(file) }
    case "check": try await loop { try await Integrity(of: file, threads: threads) }
    case "hash":
      try await loop {
        try await Manifest(
          of: CheckpointSource.open(file).checkpoint, threads: threads, trustingStored: false)
      }
    default:
      try await loop {
        try await CheckpointDiff(
          from: CheckpointSource.open(file).checkpoint,
          to: CheckpointSource.open(words[4]).checkpoint, threads: threads)
      }
    }
  }

  /// Prepares and works for each line, and prints the seconds of the work.
  static func loop<Result: Sendable>(
    _ prepare: @Sendable () -> Void = {}, work: @Sendable () async throws -> Result
  ) async throws {
    while readLine() != nil {
      prepare()
      let start = ContinuousClock.now
      let result = try await work()
      let time = (ContinuousClock.now - start).components
      print(Double(time.seconds) + Double(time.attoseconds) / 1e18)
      fflush(nil)
      _ = result
    }
  }

  /// The checkpoint with its tensors' bytes in memory.
  static func held(_ checkpoint: Checkpoint, threads: Int) async throws -> Checkpoint {
    let held = checkpoint.entries.map { Held($0.info.byteCount) }
    let parts = checkpoint.entries.indices.flatMap { index in
      cut(checkpoint.entries[index]).map { (index, $0) }
    }
    try await each(parts.indices, threads: threads) { number in
      let (index, range) = parts[number]
      try held[index].fill(range) { try checkpoint.entries[index].read(range, into: &$0) }
    }
    var copy = checkpoint
    copy.entries = checkpoint.entries.indices.map { index in
      let entry = checkpoint.entries[index]
      return Checkpoint.Entry(name: entry.name, info: entry.info, alias: entry.alias) {
        [bytes = held[index]] range, target in
        bytes.lend(range) { target.copyBytes(from: $0) }
      }
    }
    return copy
  }

  /// A tensor's bytes, which tasks fill part by part.
  @safe
  final class Held: @unchecked Sendable {  // each part has one task
    private let memory: UnsafeMutableRawBufferPointer

    /// In large pages, as ``ChunkBuffer`` asks for.
    init(_ count: Int) {
      let isLarge = count >= 4 << 20
      unsafe memory = .allocate(byteCount: max(count, 1), alignment: isLarge ? 2 << 20 : 64)
      if isLarge { unsafe _ = madvise(memory.baseAddress, count, MADV_HUGEPAGE) }
    }

    deinit { unsafe memory.deallocate() }

    func fill(_ range: Range<Int>, by body: (inout MutableRawSpan) throws -> Void) rethrows {
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[range])
      var bytes = unsafe part.mutableBytes
      try body(&bytes)
    }

    func lend(_ range: Range<Int>, to body: (RawSpan) -> Void) {
      let part = unsafe UnsafeRawBufferPointer(rebasing: memory[range])
      unsafe body(part.bytes)
    }
  }

  /// A tensor in parts that are read at once.
  static func cut(_ entry: Checkpoint.Entry) -> [Range<Int>] {
    let step = max((4 << 20) / entry.preferredReadSize, 1) * entry.preferredReadSize
    return stride(from: 0, to: entry.info.byteCount, by: step).map {
      $0..<min($0 + step, entry.info.byteCount)
    }
  }

  /// Gives out numbers, one after another.
  final class Turn: Sendable {
    private let next: Atomic<Int>

    init(_ first: Int) { next = Atomic(first) }

    func take() -> Int { next.add(1, ordering: .relaxed).oldValue }
  }

  /// Works on indices, several at once, each by whoever is free.
  static func each(
    _ indices: Range<Int>, threads: Int, work: @escaping @Sendable (Int) throws -> Void
  ) async throws {
    let turn = Turn(indices.lowerBound)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<threads {
        group.addTask {
          while case let index = turn.take(), index < indices.upperBound { try work(index) }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Reads every byte.
  static func read(_ path: String, threads: Int) async throws {
    let parts = try CheckpointSource.open(path).checkpoint.entries.flatMap { entry in
      cut(entry).map { (entry, $0) }
    }
    let largest = parts.map(\.1.count).max() ?? 0
    let turn = Turn(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<threads {
        group.addTask {
          var buffer = ChunkBuffer(capacity: largest)
          while case let index = turn.take(), index < parts.count {
            let (entry, range) = parts[index]
            var target = buffer.mutableBytes(range.count)
            try entry.read(range, into: &target)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
