/// Does `work` on items side by side and in any order, then `finish` on the results in the items'
/// order, with a bounded number of results in between.
///
/// Items of different lanes do not wait for each other: `finish` runs once at a time in each lane,
/// in its items' order, and lanes advance side by side. At most `threads` tasks are at work.
/// Finishing goes before beginning, so with one thread an item is finished before the next is
/// begun. The first error cancels the rest and is thrown.
package func pipeline<Item: Sendable, Value: Sendable>(
  _ items: some Sequence<Item>, threads: Int, lane: (Item) -> Int = { _ in 0 },
  work: @escaping @Sendable (Item) throws -> Value,
  finish: @escaping @Sendable (Item, Value) throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: PipelineState<Item, Value>.Outcome.self) { group in
    var state = PipelineState<Item, Value>(window: 3 * max(threads, 1) + 2)
    var items = items.makeIterator()
    var running = 0
    while true {
      while running < max(threads, 1) {
        if let (number, item, value) = state.nextToFinish() {
          group.addTask {
            try finish(item, value)
            return .finished(number)
          }
        } else if !state.isFull, let item = items.next() {
          let number = state.begin(item, lane: lane(item))
          group.addTask { .worked(number, try work(item)) }
        } else {
          break
        }
        running += 1
      }
      guard let outcome = try await group.next() else { return }
      running -= 1
      state.take(outcome)
    }
  }
}

/// Which items are in a pipeline, and how far they are.
private struct PipelineState<Item: Sendable, Value: Sendable> {
  enum Outcome: Sendable {
    case worked(Int, Value)
    case finished(Int)
  }

  private struct Slot {
    let item: Item
    let lane: Int
    var value: Value?
  }

  private let window: Int
  private var slots: [Int: Slot] = [:]
  /// The items of each lane that are not finished, in order.
  private var queues: [Int: [Int]] = [:]
  private var busy: Set<Int> = []
  private var begun = 0

  init(window: Int) { self.window = window }

  var isFull: Bool { slots.count >= window }

  mutating func begin(_ item: Item, lane: Int) -> Int {
    begun += 1
    slots[begun] = Slot(item: item, lane: lane)
    queues[lane, default: []].append(begun)
    return begun
  }

  /// The oldest item whose turn it is in its lane.
  mutating func nextToFinish() -> (Int, Item, Value)? {
    var best: (Int, Item, Value)?
    for (lane, queue) in queues where !busy.contains(lane) {
      guard let number = queue.first, number < best?.0 ?? .max, let slot = slots[number],
        let value = slot.value
      else { continue }
      best = (number, slot.item, value)
    }
    if let best, let lane = slots[best.0]?.lane { busy.insert(lane) }
    return best
  }

  mutating func take(_ outcome: Outcome) {
    switch outcome {
    case .worked(let number, let value): slots[number]?.value = value
    case .finished(let number):
      guard let lane = slots.removeValue(forKey: number)?.lane else { return }
      busy.remove(lane)
      queues[lane]?.removeFirst()
      if queues[lane]?.isEmpty == true { queues[lane] = nil }
    }
  }
}
