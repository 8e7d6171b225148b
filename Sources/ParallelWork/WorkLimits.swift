/// Read size, number of workers, and memory limits: decided here and nowhere else.
package enum WorkLimits {
  /// Bytes that are read, packed, or compared at once, unless a source is best read in larger parts.
  package static let readSize = 1 << 20
  /// Bytes of a piece that is only hashed; large, since each piece costs a turn in its tensor's lane.
  package static let digestSize = 2 << 20
  /// Bytes of a piece whose sums are added up.
  ///
  /// Floating-point sums depend on it, so it must not depend on the machine, the source, or the
  /// number of threads.
  package static let comparisonSize = 2 << 20
  /// Bytes of a rank's items in one window of shared work, of which two are held; large, since a rank
  /// passes over those of the others, and draws of random numbers skip them.
  package static let windowSize = 32 << 20
  /// The same where nothing of an item is held but sums.
  package static let sumWindowSize = 128 << 20
  /// Tensors that are gathered into one unit of work, at most.
  package static let maxGathered = 64
  /// Bytes that the items of one pipeline may hold, unless its workers alone need more.
  package static let pipelineMemory = 96 << 20
  /// Bytes that all block caches may hold together.
  package static let cacheMemory = 64 << 20
  /// Requests in flight to web servers, whatever the number of threads.
  package static let requests = 8
  /// Bytes that one request asks for; larger reads are several requests at once.
  package static let requestSize = 512 << 10

  /// The number of workers for `--threads`; more than this many bring nothing.
  package static func workers(_ threads: Int) -> Int { min(max(threads, 1), 1024) }

  /// How many items of `size` bytes may be in a pipeline at once: enough that no stage waits for
  /// another, and no more than memory allows.
  package static func window(workers: Int, size: Int) -> Int {
    min(4 * workers + 4, max(workers + 2, pipelineMemory / max(size, 1)))
  }
}
