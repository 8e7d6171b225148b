import CheckpointKit
import Glibc

/// What `bench storage` measures of this project: does its job once for each line of standard
/// input and answers the seconds that it took.
///
///     storage-bench write THREADS COMPRESSION SOURCE TARGET   tensors in memory to a new file
///     storage-bench read THREADS FILE     every byte of every tensor, into memory that is touched already
///     storage-bench load THREADS FILE     the same into fresh memory, all of it held at once
///     storage-bench open THREADS FILE     the list of tensors
///     storage-bench hash THREADS FILE     the fingerprint, every byte read
///     storage-bench check THREADS FILE    every checksum
///     storage-bench diff THREADS A B      what differs
@main
struct Storage {
  static func main() async throws {
    let words = CommandLine.arguments
    let (job, threads, file) = (words[1], Int(words[2])!, words[3])
    switch job {
    case "write":
      let checkpoint = try await held(CheckpointSource.open(words[4]).checkpoint, threads: threads)
      let format = try CheckpointFormat.writable(forPath: words[5])
      var options = WriteOptions()
      options.threads = threads
      options.compression = WriteOptions.Compression(named: file) ?? .standard
      let chosen = options
      try await loop {
        unlink(words[5])
      } work: {
        try await format.write!(checkpoint, words[5], chosen)
      }
    case "load":
      try await loop {
        try await held(CheckpointSource.open(file).checkpoint, threads: threads)
      }
    case "read": try await loop { try await read(file, threads: threads) }
    case "open": try await loop { try CheckpointSource.open(file) }
    case "check": try await loop { try await CheckpointSource.damage(in: file, threads: threads) }
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

  /// Memory that is given back with its last owner.
  final class Memory: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) { bytes = .allocate(byteCount: max(count, 1), alignment: 64) }

    deinit { bytes.deallocate() }
  }

  /// The checkpoint with its tensors' bytes in memory.
  static func held(_ checkpoint: Checkpoint, threads: Int) async throws -> Checkpoint {
    let memory = checkpoint.entries.map { Memory($0.info.byteCount) }
    let parts = checkpoint.entries.indices.flatMap { index in
      cut(checkpoint.entries[index]).map { (index, $0) }
    }
    let entries = checkpoint.entries
    _ = try await concurrentMap(parts, width: threads) { index, range in
      var target = UnsafeMutableRawBufferPointer(rebasing: memory[index].bytes[range]).mutableBytes
      try entries[index].read(range, into: &target)
    }
    var copy = checkpoint
    copy.entries = zip(entries, memory).map { entry, memory in
      Checkpoint.Entry(name: entry.name, info: entry.info, alias: entry.alias) { range, target in
        target.withUnsafeMutableBytes {
          $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory.bytes[range]))
        }
      }
    }
    return copy
  }

  /// A tensor in parts that are read at once.
  static func cut(_ entry: Checkpoint.Entry) -> [Range<Int>] {
    let step = max((4 << 20) / entry.unit, 1) * entry.unit
    return stride(from: 0, to: entry.info.byteCount, by: step).map {
      $0..<min($0 + step, entry.info.byteCount)
    }
  }

  /// Reads every byte.
  static func read(_ path: String, threads: Int) async throws {
    let parts = try CheckpointSource.open(path).checkpoint.entries.flatMap { entry in
      cut(entry).map { (entry, $0) }
    }
    let largest = parts.map(\.1.count).max() ?? 0
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<threads {
        group.addTask {
          var buffer = ChunkBuffer(capacity: largest)
          for index in stride(from: thread, to: parts.count, by: threads) {
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
