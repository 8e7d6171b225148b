/// Maps `items` with at most `width` tasks at work, and returns the results in order.
///
/// The first error cancels the rest and is thrown.
package func concurrentMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], width: Int, _ transform: @escaping @Sendable (Item) throws -> Result
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    var results = [Result?](repeating: nil, count: items.count)
    var next = 0
    func start() {
      guard next < items.count else { return }
      let index = next
      next += 1
      group.addTask { (index, try transform(items[index])) }
    }
    for _ in 0..<max(width, 1) { start() }
    while let (index, result) = try await group.next() {
      results[index] = result
      start()
    }
    return results.compactMap { $0 }
  }
}
