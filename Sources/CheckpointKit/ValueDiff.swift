public import TensorCore

/// What differs between the values of two checkpoints that are not tensors.
public struct ValueDiff: Sendable {
  /// A value that is only in one of the two, or another in the second.
  public struct Change: Sendable, Encodable {
    /// Dotted address, such as `optimizer.param_groups.0.lr`.
    public let address: String
    /// The value in the first; `nil` if it is only in the second.
    public let old: Value?
    /// The value in the second; `nil` if it is only in the first.
    public let new: Value?
  }

  /// In the first's order, then what only the second has.
  public let changes: [Change]

  /// Compares the values that are the files' own; notes of this project about them do not count.
  public init(from left: Checkpoint, to right: Checkpoint) {
    let (olds, news) = (Self.leaves(of: left), Self.leaves(of: right))
    // Names may contain dots, so several values may have one address: they are paired in their order.
    let partners = Dictionary(grouping: news.indices) { TensorName(news[$0].0) }
    var taken: [TensorName: Int] = [:]
    var changes: [Change] = []
    for (address, old) in olds {
      let name = TensorName(address)
      let number = taken[name, default: 0]
      let all = partners[name] ?? []
      let new = number < all.count ? news[all[number]].1 : nil
      taken[name] = number + 1
      if new != old { changes.append(Change(address: address, old: old, new: new)) }
    }
    var passed: [TensorName: Int] = [:]
    for (address, new) in news {
      let name = TensorName(address)
      passed[name, default: 0] += 1
      if passed[name, default: 0] > taken[name, default: 0] {
        changes.append(Change(address: address, old: nil, new: new))
      }
    }
    self.changes = changes
  }

  private static func leaves(of checkpoint: Checkpoint) -> [(String, Value)] {
    var leaves: [(String, Value)] = []
    for named in checkpoint.ownValues {
      named.value.forEachLeaf(at: named.name) { leaves.append(($0, $1)) }
    }
    return leaves
  }

  /// `values: epoch 3 → 7, 2 more changed, 1 removed`; `nil` if nothing differs.
  public var summary: String? {
    var shown: [String] = []
    var left = changes
    if let first = changes.firstIndex(where: { $0.old != nil && $0.new != nil }) {
      shown = [left.remove(at: first).text]
    }
    let added = left.count { $0.old == nil }
    let removed = left.count { $0.new == nil }
    let changed = left.count - added - removed
    if changed > 0 { shown.append("\(changed) more changed") }
    if added > 0 { shown.append("\(added) added") }
    if removed > 0 { shown.append("\(removed) removed") }
    return shown.isEmpty ? nil : "values: " + shown.joined(separator: ", ")
  }
}

extension ValueDiff.Change {
  /// `epoch 3 → 7`, with values cut where they are long.
  public var text: String {
    let name = address.escapingControls
    switch (old, new) {
    case (let old?, let new?):
      return "\(name) \(old.shortText(limit: 30)) → \(new.shortText(limit: 30))"
    case (let old?, nil): return "\(name) \(old.shortText(limit: 30)) removed"
    case (nil, let new?): return "\(name) \(new.shortText(limit: 30)) added"
    case (nil, nil): return name
    }
  }
}
