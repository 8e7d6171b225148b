import CheckpointKit
import Synchronization

/// Reads tensors in the background for the browser: figures and values of the selected one, and the pairs that are
/// compared.
///
/// Only the newest request of each kind matters: an older one stops at its next read.
final class BrowserWorker: Sendable {
  private let items: BrowserItems
  private let deliver: @Sendable (BrowserEvent) -> Void
  private let budget = Budget.current
  private let (figures, values) = (IOThreads(count: 1), IOThreads(count: 1))
  private let (figureOrder, valueOrder) = (Order(), Order())

  /// `deliver` is called from any thread.
  init(_ items: BrowserItems, deliver: @escaping @Sendable (BrowserEvent) -> Void) {
    self.items = items
    self.deliver = deliver
  }

  /// Numbers requests, so that all but the last can stop.
  private final class Order: Sendable {
    private let last = Atomic<Int>(0)

    func next() -> Int { last.add(1, ordering: .relaxed).newValue }

    func check(_ number: Int) throws {
      if last.load(ordering: .relaxed) != number { throw Superseded() }
    }
  }

  /// Ends reading for a request that is not the newest any more.
  private struct Superseded: Error {}

  /// Measures a tensor; `nil` only stops what is being measured.
  func measure(_ index: Int?) {
    let number = figureOrder.next()
    guard let index else { return }
    let share = Share(items[index])
    let item = items[index].reading { [figureOrder, deliver] count in
      try figureOrder.check(number)
      if let done = share.add(count) { deliver(.progress(index, done)) }
    }
    submit(figures) { [figureOrder, deliver] in
      try figureOrder.check(number)
      let measurement = try BrowserMeasurement(of: item)
      try figureOrder.check(number)
      deliver(.measured(index, measurement))
    }
  }

  /// Reads values.
  func read(_ request: ValueRequest) {
    let number = valueOrder.next()
    let item = items[request.item].reading { [valueOrder] _ in try valueOrder.check(number) }
    submit(values) { [valueOrder, deliver] in
      try valueOrder.check(number)
      deliver(.values(try ValueBlock(request, of: item)))
    }
  }

  /// Compares pairs, in order, and delivers what was found a few times a second.
  func compare(_ pairs: [Int], threads: Int) {
    if pairs.isEmpty { return }
    let next = Atomic<Int>(0)
    let shared = SharedCounter(next)
    let batch = Batch(deliver)
    let pool = IOThreads(count: threads)
    for _ in 0..<min(threads, pairs.count) {
      submit(pool) { [items] in
        while let position = shared.next(below: pairs.count) {
          let index = pairs[position]
          guard let left = items[index].first, let right = items[index].second else { continue }
          let mark: BrowserMark
          do {
            mark = try left.isIdentical(to: right) ? .identical : .changed
          } catch {
            mark = .unreadable
          }
          batch.add(index, mark)
        }
        batch.flush()
      }
    }
  }

  private func submit(_ threads: IOThreads, _ job: @escaping @Sendable () throws -> Void) {
    threads.submit { [budget] in
      // What was superseded leaves without a word; no other error gets here.
      try? Budget.$current.withValue(budget) { try job() }
    }
  }
}

/// Counts up, for several threads.
private final class SharedCounter: Sendable {
  private let count: Atomic<Int>

  init(_ count: consuming Atomic<Int>) { self.count = count }

  /// The next number; `nil` from a limit on.
  func next(below limit: Int) -> Int? {
    let number = count.add(1, ordering: .relaxed).oldValue
    return number < limit ? number : nil
  }
}

/// Collects what comparing has found, so that the screen is not drawn for each of many small tensors.
private final class Batch: Sendable {
  private let deliver: @Sendable (BrowserEvent) -> Void
  private let state = Mutex<
    (found: [(item: Int, mark: BrowserMark)], last: ContinuousClock.Instant)
  >(
    ([], .now))

  init(_ deliver: @escaping @Sendable (BrowserEvent) -> Void) { self.deliver = deliver }

  func add(_ item: Int, _ mark: BrowserMark) {
    let isDue = state.withLock { state in
      state.found.append((item, mark))
      return state.last.duration(to: .now) > .milliseconds(200)
    }
    if isDue { flush() }
  }

  func flush() {
    let found = state.withLock { state in
      defer { state = ([], .now) }
      return state.found
    }
    if !found.isEmpty { deliver(.compared(found)) }
  }
}

/// How much of an item's bytes have been read, told a few times a second.
private final class Share: Sendable {
  private let total: Double
  private let state = Mutex<(done: Int, last: ContinuousClock.Instant)>((0, .now))

  /// Figures take two passes, and a comparison one more.
  init(_ item: BrowserItem) {
    let bytes = [item.first, item.second].compactMap { $0?.info.byteCount }.saturatedSum()
    let isPair = item.first?.info.shape == item.second?.info.shape
    total = Double(max(bytes, 1)) * (isPair ? 3 : 2)
  }

  /// Counts bytes; the share if it is time to tell.
  func add(_ count: Int) -> Double? {
    state.withLock { state in
      state.done = [state.done, count].saturatedSum()
      guard state.last.duration(to: .now) > .milliseconds(200) else { return nil }
      state.last = .now
      return min(Double(state.done) / total, 1)
    }
  }
}

extension BrowserItem {
  /// The same tensors, with `body` called before each read with the number of bytes; its error ends the read.
  fileprivate func reading(_ body: @escaping @Sendable (Int) throws -> Void) -> BrowserItem {
    func wrapped(_ entry: Checkpoint.Entry?) -> Checkpoint.Entry? {
      entry?.wrappingReader { range, target, read in
        try body(range.count)
        try read(range, &target)
      }
    }
    return BrowserItem(name: name, first: wrapped(first), second: wrapped(second))
  }
}
