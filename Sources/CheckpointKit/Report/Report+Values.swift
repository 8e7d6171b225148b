import TensorCore

/// Values that are not tensors.
extension Report {
  /// The values of one checkpoint.
  static func values(of checkpoint: Checkpoint) -> ([ValueRow], count: Int) {
    var rows: [ValueRow] = []
    var count = 0
    for named in checkpoint.ownValues {
      named.value.forEachLeaf(at: named.name) { address, value in
        count += 1
        if rows.count < maxValues {
          rows.append(
            ValueRow(address: address, before: text(value), after: nil, isChanged: false))
        }
      }
    }
    return (rows, count)
  }

  /// The values of two checkpoints: what differs, then the rest.
  static func values(of left: Checkpoint, and right: Checkpoint) -> ([ValueRow], count: Int) {
    let changes = ValueDiff(from: left, to: right).changes
    var rows = changes.prefix(maxValues).map { change in
      ValueRow(
        address: change.address, before: change.old.map(text), after: change.new.map(text),
        isChanged: true)
    }
    // Several values may have one address; as many of them as differ are listed already.
    var differing: [TensorName: Int] = [:]
    for change in changes where change.old != nil {
      differing[TensorName(change.address), default: 0] += 1
    }
    var count = changes.count
    for named in left.ownValues {
      named.value.forEachLeaf(at: named.name) { address, value in
        let name = TensorName(address)
        if let left = differing[name], left > 0 {
          differing[name] = left - 1
          return
        }
        count += 1
        if rows.count < maxValues {
          rows.append(
            ValueRow(address: address, before: text(value), after: text(value), isChanged: false))
        }
      }
    }
    return (rows, count)
  }

  private static func text(_ value: Value) -> String { value.shortText(limit: maxValueLength) }
}
