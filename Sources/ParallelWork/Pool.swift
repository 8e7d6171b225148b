import Synchronization

/// A pool of values that are expensive to create and are used by one task at a time.
///
/// Their memory has been touched before: the first touch of fresh pages costs the system more time
/// than this project spends on the bytes in them.
package final class Pool<Value: ~Copyable>: Sendable {
  /// One of them, which can be handed from task to task.
  package final class Item: @unchecked Sendable {  // whoever took it is alone with it
    /// What was made.
    package var value: Value

    fileprivate init(_ value: consuming Value) { self.value = value }
  }

  private let idle = Mutex<[Item]>([])
  private let capacity: Int
  private let make: @Sendable () -> Value

  /// Keeps at most `capacity` values while they are idle; `make` gives one when none is.
  package init(capacity: Int, make: @escaping @Sendable () -> Value) {
    self.capacity = capacity
    self.make = make
  }

  /// A value that nobody else has.
  package func acquire() -> Item { idle.withLock { $0.popLast() } ?? Item(make()) }

  /// Returns a value to the pool; the caller must not use it again.
  package func release(_ item: Item) {
    idle.withLock { if $0.count < capacity { $0.append(item) } }
  }
}
