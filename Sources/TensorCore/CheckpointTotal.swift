/// A sum of the sizes of tensors that cannot overflow.
///
/// Views of one storage may each claim to be as large as they like; a total below 2^62 bytes and
/// elements is what later sums rely on.
public struct CheckpointTotal: Hashable, Sendable {
  /// Number of tensors added so far.
  public private(set) var tensorCount = 0
  /// Number of their elements, below 2^62.
  public private(set) var elementCount = 0
  /// Number of their bytes, below 2^62; tied tensors count each time.
  public private(set) var byteCount = 0

  /// The sum of nothing.
  public init() {}

  /// Adds one tensor.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` when a sum reaches 2^62; the total is then as it was.
  public mutating func add(_ info: TensorInfo) throws(CheckpointError) {
    let elements = elementCount + info.elementCount  // each below 2^62
    let bytes = byteCount + info.byteCount
    guard elements < Shape.limit, bytes < Shape.limit else {
      throw CheckpointError(.unsupported, "total size reaches 2^62 bytes at this tensor")
    }
    tensorCount += 1
    elementCount = elements
    byteCount = bytes
  }
}

extension Checkpoint {
  /// The sizes of all entries together, aliases included.
  ///
  /// - Throws: ``CheckpointError`` `unsupported`, with the tensor at which the sum reaches 2^62.
  public func total() throws(CheckpointError) -> CheckpointTotal { try entries.total() }
}

extension [Checkpoint.Entry] {
  /// The sizes of the entries together.
  ///
  /// - Throws: ``CheckpointError`` `unsupported`, with the tensor at which the sum reaches 2^62.
  package func total(includingAliases: Bool = true) throws(CheckpointError) -> CheckpointTotal {
    var total = CheckpointTotal()
    // A copy of each entry would take longer than its addition.
    for index in indices where includingAliases || self[index].alias == nil {
      do { try total.add(self[index].info) } catch {
        throw error.adding(tensor: self[index].name.text)
      }
    }
    return total
  }
}

extension Sequence<TensorInfo> {
  /// The sizes of the tensors together.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` when the sum reaches 2^62.
  package func total() throws(CheckpointError) -> CheckpointTotal {
    var total = CheckpointTotal()
    for info in self { try total.add(info) }
    return total
  }
}

extension Sequence<Int> {
  /// The sum of numbers of 0 or more; ``Shape/limit`` stands for all sums that reach it.
  @inlinable
  package func saturatedSum() -> Int { reduce(0) { $0.saturated(plus: $1) } }
}

extension Int {
  /// The sum of two numbers of 0 or more; ``Shape/limit`` stands for all that reach it.
  @inlinable
  package func saturated(plus number: Int) -> Int {
    number >= Shape.limit - self ? Shape.limit : self + number
  }

  /// The product of two numbers of 0 or more; ``Shape/limit`` stands for all that reach it.
  package func saturated(times factor: Int) -> Int {
    let (product, overflows) = multipliedReportingOverflow(by: factor)
    return overflows ? Shape.limit : Swift.min(product, Shape.limit)
  }
}
