import ByteIO
import ParallelWork
import TensorCore

/// Reads, packs, digests and appends the jobs of a plan, with a bounded number of them in memory.
///
/// Jobs are packed in any order and appended in the plan's, so the file does not depend on how many
/// tasks there are. A tensor's digest takes its chunks one after another, so each tensor of several
/// chunks has a lane of its own, and lanes advance side by side. What is done next is decided here;
/// the work itself is done in tasks.
struct NativePipeline {
  /// A job that is in memory.
  private struct Work {
    let job: NativePlan.Job
    let memory: Pool<NativeJob>.Item
    var isPacked = false
    var isHashed: Bool
    var isAppended = false
    /// Of the tensor that ends with this job, if it has several.
    var digest: Digest?
  }

  /// How far a tensor of several chunks is digested.
  private struct Lane {
    var builder = DigestBuilder()
    /// The job that comes next.
    var number: Int
    var isAtWork = false
  }

  /// What a task does.
  private enum Step {
    case pack(Int, Work)
    case hash(Int, Work, DigestBuilder)
    case append(Int, Work)
  }

  /// What a task did.
  private enum Outcome {
    case packed(Int)
    case hashed(Int, DigestBuilder)
    case appended(Int)
  }

  private let plan: NativePlan
  private let body: NativeBody
  private let threads: Int
  private var place = (source: 0, offset: 0)
  private var work: [Int: Work] = [:]
  private var lanes: [Int: Lane] = [:]
  private var started = 0
  private var appended = 0
  private var isAppending = false

  init(_ plan: NativePlan, into body: NativeBody, threads: Int) {
    self.plan = plan
    self.body = body
    self.threads = max(threads, 1)
  }

  /// How many jobs may be in memory: enough that a digest and the packing wait for each other rarely.
  private var window: Int { 4 * threads + 4 }

  /// Does all the work with at most one task per thread; the first error ends it.
  mutating func run() async throws {
    try await withThrowingTaskGroup(of: Outcome.self) { group in
      var running = 0
      while true {
        while running < threads, let step = next() {
          running += 1
          group.addTask { [plan, body] in try Self.perform(step, plan, body) }
        }
        guard let outcome = try await group.next() else { return }
        running -= 1
        take(outcome)
      }
    }
  }

  private static func perform(
    _ step: Step, _ plan: NativePlan, _ body: NativeBody
  ) throws -> Outcome {
    switch step {
    case .pack(let number, let work):
      try work.memory.value.pack(work.job, of: plan)
      return .packed(number)
    case .hash(let number, let work, var builder):
      work.memory.value.hash(into: &builder)
      return .hashed(number, builder)
    case .append(let number, let work):
      try body.append(work.memory.value, endingWith: work.digest)
      return .appended(number)
    }
  }

  /// What to do next, if anything can be done now: digests first, since they cannot be divided.
  private mutating func next() -> Step? {
    for source in lanes.keys.sorted() {
      guard let lane = lanes[source], !lane.isAtWork, let work = work[lane.number], work.isPacked
      else { continue }
      lanes[source]?.isAtWork = true
      return .hash(lane.number, work, lane.builder)
    }
    // A tensor of several chunks is ended when its digest is known: it may be one that is there.
    if !isAppending, let work = work[appended], work.isPacked, work.isHashed || !work.job.isEnd {
      isAppending = true
      return .append(appended, work)
    }
    guard work.count < window, let job = plan.job(at: &place) else { return nil }
    let new = Work(job: job, memory: NativeJob.pool.acquire(), isHashed: job.isWhole)
    work[started] = new
    if !job.isWhole, job.pieces[0].range.lowerBound == 0 {
      lanes[job.pieces[0].source] = Lane(number: started)
    }
    started += 1
    return .pack(started - 1, new)
  }

  private mutating func take(_ outcome: Outcome) {
    switch outcome {
    case .packed(let number):
      work[number]?.isPacked = true
    case .hashed(let number, let builder):
      guard let job = work[number]?.job else { return }
      work[number]?.isHashed = true
      if job.isEnd {
        work[number]?.digest = builder.finalize()
        lanes[job.pieces[0].source] = nil
      } else {
        lanes[job.pieces[0].source] = Lane(builder: builder, number: number + 1)
      }
      release(number)
    case .appended(let number):
      isAppending = false
      appended += 1
      work[number]?.isAppended = true
      release(number)
    }
  }

  private mutating func release(_ number: Int) {
    guard let done = work[number], done.isAppended, done.isHashed else { return }
    work[number] = nil
    NativeJob.pool.release(done.memory)
  }
}
