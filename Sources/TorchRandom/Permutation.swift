/// Permutations, as `torch.randperm` draws them.
extension Generator {
  /// The permutation of `0 ..< count` that `torch.randperm(count)` draws.
  ///
  /// Source: PyTorch 2.15 `randperm_cpu`: from 214,748,364 on it draws 64 bits an element, from
  /// the front, instead of 32 bits.
  package mutating func randperm(_ count: Int) -> [Int] {
    precondition(count >= 0, "negative count")
    var order = Array(0..<count)
    if count < Int(UInt32.max) / 20 {
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
