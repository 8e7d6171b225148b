/// The least permutation that is drawn with 64 bits an element.
private let leastWide = Int(UInt32.max) / 20

/// Permutations, as `torch.randperm` draws them.
extension Generator {
  /// Number of words that `torch.randperm(count)` takes.
  package static func wordsOfRandperm(_ count: Int) -> Int {
    count < leastWide ? max(count - 1, 0) : 2 * count
  }

  /// The permutation of `0 ..< count` that `torch.randperm(count)` draws.
  ///
  /// Source: PyTorch 2.15 `randperm_cpu`: from 214,748,364 on it draws 64 bits an element, from
  /// the front, instead of 32 bits.
  package mutating func randperm(_ count: Int) -> [Int] {
    precondition(count >= 0, "negative count")
    var order = Array(0..<count)
    if count < leastWide {
      for index in 0..<max(count - 1, 0) {
        // The remainder favors small numbers slightly; that bias is PyTorch's.
        order.swapAt(index, index + Int(nextUInt32()) % (count - index))
      }
    } else {
      for index in 0..<count {
        let other = Int(nextUInt64() % UInt64(index + 1))
        order[index] = order[other]
        order[other] = index
      }
    }
    return order
  }
}
