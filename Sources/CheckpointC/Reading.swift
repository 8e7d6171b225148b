public import CCkpt
import ParallelWork
import Synchronization
import TensorCore

@c @implementation
public func ckpt_read(
  _ file: OpaquePointer, _ tensor: UInt64, _ offset: UInt64, _ size: UInt64,
  _ target: UnsafeMutableRawPointer
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let entries = unsafe OpenFile.at(file).checkpoint.entries
    let part = unsafe ckpt_part(tensor: tensor, offset: offset, size: size, target: target)
    unsafe try PartRead(part, of: entries).read(from: entries)
  }
}

@c @implementation
public func ckpt_read_many(
  _ call: OpaquePointer?, _ file: OpaquePointer, _ count: UInt64, _ parts: UnsafePointer<ckpt_part>?
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let (call, file) = unsafe (Call.at(call), OpenFile.at(file))
    let entries = file.checkpoint.entries
    let given = unsafe UnsafeBufferPointer(start: parts, count: Int(count))
    var reads: [PartRead] = []
    reads.reserveCapacity(given.count)
    for index in given.indices {
      unsafe try reads.append(PartRead(given[index], of: entries))
    }
    let total = reads.lazy.map(\.range.count).saturatedSum()
    let units = PartUnits(reads, of: entries)
    let (threads, progress) = (call.threads, call.progress)
    let done = DoneCount()
    try call.run {
      // What is read is the caller's already, so that nothing is held in between.
      try await pipeline(
        units, threads: threads, size: 1,
        work: { unit in
          try ReadAhead.during(unit.count) {
            for part in unit { try part.read(from: entries) }
          }
          guard let progress else { return }
          done.add(unit.lazy.map(\.range.count).saturatedSum()) { progress($0, total) }
        }, stages: [])
    }
  }
}

/// How many bytes are done.
private final class DoneCount: Sendable {
  private let count = Mutex(0)

  /// Adds to it, and tells the sum, one call at a time.
  func add(_ more: Int, _ tell: (Int) -> Void) {
    count.withLock { count in
      count = [count, more].saturatedSum()
      tell(count)
    }
  }
}
