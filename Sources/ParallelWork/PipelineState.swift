/// Which items are in a pipeline and how far they are: decides what is done next.
struct PipelineState<Item, Value> {
  /// What a thread does with the item of a number.
  enum Action {
    case work(Int, Item)
    case pass(Int, stage: Int, Item, Value)

    var number: Int {
      switch self {
      case .work(let number, _), .pass(let number, _, _, _): number
      }
    }
  }

  private struct Slot {
    let item: Item
    /// The lane in each stage.
    let lanes: [Int]
    var value: Value?
    var stage = 0
    /// Whether it is ready for its stage or in it.
    var isTaken = false
  }

  let workers: Int
  private let window: Int
  private let lanes: [(Item) -> Int]
  private let nextItem: () -> Item?
  private var slots: [Int: Slot] = [:]
  /// By stage and lane: the items that have not passed, in order.
  private var queues: [[Int: [Int]]]
  /// Items whose turn it is in their stage.
  private var ready: Set<Int> = []
  private var begun = 0
  private var running = 0
  private var isExhausted = false
  /// The first item that failed.
  private(set) var failure: (number: Int, error: any Error)?

  init(workers: Int, window: Int, lanes: [(Item) -> Int], nextItem: @escaping () -> Item?) {
    self.workers = workers
    self.window = window
    self.lanes = lanes
    self.nextItem = nextItem
    queues = Array(repeating: [:], count: lanes.count)
  }

  // An item keeps its slot until it has passed its last stage, so the window bounds the memory of
  // all items between reading and writing.
  private var canBegin: Bool { !isExhausted && failure == nil && slots.count < window }

  /// Whether another thread may find something to do.
  var hasMore: Bool { running < workers && (!ready.isEmpty || canBegin) }

  /// Whether all items are done, or all before the one that failed.
  var isDone: Bool { running == 0 && ready.isEmpty && (isExhausted || failure != nil) }

  /// What can be done now, if anything: the oldest item first.
  mutating func next() -> Action? {
    guard running < workers else { return nil }
    // Stages before new work, and the oldest item first: that frees slots, and a window full of
    // items that wait for an older one cannot arise, because the older one is in the window as
    // well.
    if let number = ready.min(), let slot = slots[number], let value = slot.value {
      ready.remove(number)
      running += 1
      return .pass(number, stage: slot.stage, slot.item, value)
    }
    guard canBegin else { return nil }
    guard let item = nextItem() else {
      isExhausted = true
      return nil
    }
    begun += 1
    running += 1
    let slot = Slot(item: item, lanes: lanes.map { $0(item) })
    for (stage, lane) in slot.lanes.enumerated() { queues[stage][lane, default: []].append(begun) }
    slots[begun] = slot
    return .work(begun, item)
  }

  /// Notes that the work on an item is done.
  mutating func worked(_ number: Int, _ value: Value) {
    running -= 1
    slots[number]?.value = value
    if lanes.isEmpty { slots[number] = nil }
    enqueue(number)
  }

  /// Notes that an item has passed its stage.
  mutating func passed(_ number: Int) {
    running -= 1
    guard let slot = slots[number] else { return }
    let lane = slot.lanes[slot.stage]
    // Only the first in its lane can be in its stage, so it is this item.
    queues[slot.stage][lane]?.removeFirst()
    if let following = queues[slot.stage][lane]?.first {
      enqueue(following)
    } else {
      queues[slot.stage][lane] = nil
    }
    if slot.stage + 1 < lanes.count {
      slots[number]?.stage += 1
      slots[number]?.isTaken = false
      enqueue(number)
    } else {
      slots[number] = nil
    }
  }

  /// Records that an item failed: later ones are dropped.
  mutating func failed(_ number: Int, _ error: any Error) {
    running -= 1
    stop(at: number, error)
  }

  /// Drops all items that are not at work.
  // Items are numbered from 1, so every item comes after this failure.
  mutating func cancel() { stop(at: 0, CancellationError()) }

  private mutating func stop(at number: Int, _ error: any Error) {
    // Items before the failed one go on, since one of them may fail as well and is then the first.
    // Slots of later items stay, but `enqueue` passes none of them on.
    if number < failure?.number ?? .max { failure = (number, error) }
    ready = ready.filter { $0 < number }
    slots[number] = nil
  }

  /// Makes an item ready if its work is done and it is the first in its lane.
  private mutating func enqueue(_ number: Int) {
    guard number < failure?.number ?? .max, let slot = slots[number], slot.value != nil,
      !slot.isTaken, queues[slot.stage][slot.lanes[slot.stage]]?.first == number
    else { return }
    slots[number]?.isTaken = true
    ready.insert(number)
  }
}
