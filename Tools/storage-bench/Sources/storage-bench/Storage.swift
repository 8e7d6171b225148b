import CheckpointKit
import Glibc

/// What `storage.py` measures of this project: does its job once for each line of standard input
/// and answers the seconds that it took.
///
///     storage-bench write SOURCE.ckz TARGET THREADS   tensors in memory to a new file
///     storage-bench read FILE THREADS     every byte of every tensor, into memory that is touched already
///     storage-bench load FILE THREADS     the same into fresh memory, all of it held at once
///     storage-bench hash FILE THREADS     the fingerprint, every byte read
@main
struct Storage {
  static func main() async throws {
    let words = CommandLine.arguments
    let threads = Int(words.last!)!
    switch words[1] {
    case "write":
      let checkpoint = try await held(CheckpointSource.open(words[2]).checkpoint, threads: threads)
      var options = WriteOptions()
      options.threads = threads
      while readLine() != nil {
        unlink(words[3])
        let start = ContinuousClock.now
        try await CheckpointFormat.native.write!(checkpoint, words[3], options)
        report(since: start)
      }
    case "read":
      while readLine() != nil {
        let start = ContinuousClock.now
        try await read(words[2], threads: threads)
        report(since: start)
      }
    case "load":
      while readLine() != nil {
        let start = ContinuousClock.now
        let checkpoint = try await held(
          CheckpointSource.open(words[2]).checkpoint, threads: threads)
        report(since: start)
        _ = checkpoint
      }
    default:
      while readLine() != nil {
        let start = ContinuousClock.now
        _ = try await Manifest(
          of: CheckpointSource.open(words[2]).checkpoint, threads: threads, trustingStored: false)
        report(since: start)
      }
    }
  }

  /// Memory that is given back with its last owner.
  final class Memory: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }

    deinit { bytes.deallocate() }
  }

  /// The checkpoint with its tensors' bytes in memory.
  static func held(_ checkpoint: Checkpoint, threads: Int) async throws -> Checkpoint {
    var copy = checkpoint
    copy.entries = try await concurrentMap(checkpoint.entries, width: threads) { entry in
      let memory = Memory(entry.info.byteCount)
      var target = memory.bytes.mutableBytes
      try entry.read(0..<entry.info.byteCount, into: &target)
      return Checkpoint.Entry(name: entry.name, info: entry.info, alias: entry.alias) {
        range, target in
        target.withUnsafeMutableBytes {
          $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory.bytes[range]))
        }
      }
    }
    return copy
  }

  /// Reads every byte, four chunks at a time.
  static func read(_ path: String, threads: Int) async throws {
    let step = 4 * ChunkBuffer.standardSize
    let parts = try CheckpointSource.open(path).checkpoint.entries.flatMap { entry in
      stride(from: 0, to: entry.info.byteCount, by: step).map {
        (entry, $0..<min($0 + step, entry.info.byteCount))
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<threads {
        group.addTask {
          var buffer = ChunkBuffer(capacity: step)
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

  /// Prints the seconds since `start`.
  static func report(since start: ContinuousClock.Instant) {
    let time = (ContinuousClock.now - start).components
    print(Double(time.seconds) + Double(time.attoseconds) / 1e18)
    fflush(nil)
  }
}
