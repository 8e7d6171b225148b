import Ranks

/// One pipeline that several ranks share: its windows, and how far they are.
final class SharedRun<Item: Sendable, Value: Sendable>: @unchecked Sendable {
  // What is not in the monitor is used by one thread at a time: the stage that gathers.

  /// An item of this rank.
  struct Own: Sendable {
    let number: Int
    let item: Item
  }

  /// What became of an item of this rank; `nil` for one that follows a fault.
  typealias Outcome = Result<Value, any Error>?

  /// Consecutive items, and which of them is whose.
  private struct Window: Sendable {
    let first: Int
    let items: [Item]
    /// By rank a range of the items.
    let shares: [Range<Int>]
  }

  private struct Plan {
    var formed: [Window] = []
    var count = 0
    /// Items of this rank in the last window that were not taken.
    var waiting: ArraySlice<Own> = []
    /// The first item of this rank that failed.
    var failed = Int.max
  }

  /// Most items of a rank in a window, however small they are.
  private static var mostItems: Int { 256 }

  private let sharing: Sharing<Item, Value>
  private var stages: [PipelineStage<Item, Value>]
  private let plan = Monitor(Plan())
  private let nextItem: () -> Item?
  private let exchanger = Exchanger()
  /// Outcomes of own items in windows whose records were not sent.
  private var outcomes: [Outcome] = []
  /// Windows whose records were sent.
  private var sent: [(window: Window, outcomes: [Outcome], ticket: Exchanger.Ticket)] = []
  /// What the stages of this rank threw.
  private var fault: RankFault?

  init(
    _ items: some Sequence<Item>, _ sharing: Sharing<Item, Value>,
    _ stages: [PipelineStage<Item, Value>]
  ) {
    var iterator = items.makeIterator()
    nextItem = { iterator.next() }
    self.sharing = sharing
    self.stages = stages
  }

  func end() {
    exchanger.end()
    stages = []
  }

  /// The items of this rank, as they are asked for.
  var ownItems: some Sequence<Own> {
    sequence(state: self) { run in run.plan.withLock { run.nextOwn(&$0) } }
  }

  private func nextOwn(_ plan: inout Plan) -> Own? {
    while plan.waiting.isEmpty {
      guard let window = nextWindow(from: plan.count) else { return nil }
      plan.formed.append(window)
      plan.count += window.items.count
      plan.waiting =
        window.shares[sharing.ranks.rank].map {
          Own(number: window.first + $0, item: window.items[$0])
        }[...]
    }
    return plan.waiting.removeFirst()
  }

  /// Takes items until every rank has its share, and deals them out by what they cost.
  private func nextWindow(from first: Int) -> Window? {
    let ranks = sharing.ranks.size
    var items: [Item] = []
    var ends: [Int] = []
    var total = 0
    while total < ranks * sharing.window, items.count < ranks * Self.mostItems,
      let item = nextItem()
    {
      total += max(sharing.cost(item), 1)
      items.append(item)
      ends.append(total)
    }
    if items.isEmpty { return nil }
    var shares: [Range<Int>] = []
    var start = 0
    for rank in 1...ranks {
      var end = start
      // An item goes to the rank in whose part its middle lies.
      while end < items.count,
        rank == ranks
          || (ends[end] + (end == 0 ? 0 : ends[end - 1])) * ranks < 2 * total * rank
      {
        end += 1
      }
      shares.append(start..<end)
      start = end
    }
    return Window(first: first, items: items, shares: shares)
  }

  /// Works on an item of this rank, unless one before it has failed.
  func work(_ own: Own, _ body: (Item) throws -> Value) -> Outcome {
    if plan.withLock({ $0.failed < own.number }) { return nil }
    do {
      return .success(try body(own.item))
    } catch {
      plan.withLock { $0.failed = min($0.failed, own.number) }
      return .failure(error)
    }
  }

  /// Takes an outcome, in order, and goes on with every window of which all are there.
  func gather(_ own: Own, _ outcome: Outcome) throws {
    outcomes.append(outcome)
    try sendComplete()
  }

  /// Sends and passes what is left.
  ///
  /// - Throws: what any rank's work or stages threw.
  func finish() throws {
    try sendComplete()
    while !sent.isEmpty { try passFirst() }
    _ = try sharing.ranks.exchange("end of \(sharing.name)", fault: fault)
  }

  private func sendComplete() throws {
    while let window = plan.withLock({ $0.formed.first }) {
      let count = window.shares[sharing.ranks.rank].count
      guard outcomes.count >= count else { return }
      plan.withLock { _ = $0.formed.removeFirst() }
      send(window, Array(outcomes.prefix(count)))
      outcomes.removeFirst(count)
      // While the records of a window travel, the next one is worked on.
      if sent.count > 1 { try passFirst() }
    }
  }

  private func send(_ window: Window, _ outcomes: [Outcome]) {
    var writer = RecordWriter()
    var fault = fault
    for (index, outcome) in zip(window.shares[sharing.ranks.rank], outcomes) {
      switch outcome {
      case .success(let value)?: sharing.write(value, &writer)
      case .failure(let error)?:
        fault = .first(fault, RankFault(error, item: window.first + index))
      case nil: break
      }
    }
    let (ranks, name, bytes) = (sharing.ranks, sharing.name, writer.bytes)
    let ticket = exchanger.submit { [fault] in ranks.answer(name, bytes, fault: fault) }
    sent.append((window, outcomes, ticket))
  }

  /// Passes the items of the first window that was sent.
  private func passFirst() throws {
    let (window, outcomes, ticket) = sent.removeFirst()
    let answer = ticket.wait()
    if let parts = answer.parts {
      for (rank, part) in parts.enumerated() {
        try pass(window, of: rank, part, outcomes, before: answer.fault?.item ?? .max)
      }
    }
    guard let found = answer.fault else { return }
    // Every rank has sent the same windows.
    while !sent.isEmpty { _ = sent.removeFirst().ticket.wait() }
    let known = RankFault(found.error, item: found.item)
    _ = try sharing.ranks.exchange("fault of \(sharing.name)", fault: .first(fault, known))
  }

  private func pass(
    _ window: Window, of rank: Int, _ part: [UInt8], _ outcomes: [Outcome], before limit: Int
  ) throws {
    var reader = RecordReader(part)
    let share = window.shares[rank]
    for index in share {
      let number = window.first + index
      guard number < limit, fault == nil else { return }
      let item = window.items[index]
      var value: Value
      if rank == sharing.ranks.rank {
        guard case .success(let own)? = outcomes[index - share.lowerBound] else { return }
        value = own
      } else {
        value = sharing.read(item, &reader)
      }
      do {
        try sharing.ranks.passing(rank) {
          for stage in stages { try stage.body(item, value) }
        }
      } catch {
        fault = RankFault(error, item: number)
      }
    }
  }
}

/// Makes exchanges one after another on a thread of its own, so that workers need not wait for them.
final class Exchanger: Sendable {
  /// An exchange that was submitted.
  final class Ticket: Sendable {
    fileprivate let answer = Monitor<Ranks.Answer?>(nil)

    /// Waits for the answer.
    func wait() -> Ranks.Answer { answer.wait { $0 } }
  }

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var isStarted = false
    var isEnded = false
  }

  private let monitor = Monitor(State())

  /// Makes an exchange after those submitted before.
  func submit(_ exchange: @escaping @Sendable () -> Ranks.Answer) -> Ticket {
    let ticket = Ticket()
    let job: @Sendable () -> Void = {
      let answer = exchange()
      ticket.answer.withLock { $0 = answer }
      ticket.answer.wakeAll()
    }
    let isTaken = monitor.withLock { state in
      if !state.isStarted { state.isStarted = startThread { self.run() } }
      if state.isStarted { state.jobs.append(job) }
      return state.isStarted
    }
    // Without a thread the caller waits.
    if isTaken { monitor.wakeAll() } else { job() }
    return ticket
  }

  /// Ends the thread once it has nothing to do.
  func end() {
    monitor.withLock { $0.isEnded = true }
    monitor.wakeAll()
  }

  private func run() {
    while true {
      let job = monitor.wait { state -> (@Sendable () -> Void)?? in
        if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
        return state.isEnded ? .some(nil) : nil
      }
      guard let job else { return }
      job()
    }
  }
}
