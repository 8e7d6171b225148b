import TensorCore

/// The values that a pickle is at work on, and the marks between them.
struct PickleStack {
  typealias Reference = Pickle.Reference

  private var values: [Reference] = []
  /// How many values were there when a mark was set; those are out of reach.
  private var marks: [Int32] = []

  static let underflow = CheckpointError(
    .malformed, "a pickle opcode takes more values than there are")
  private static let tooMany = CheckpointError(
    .unsupported, "a pickle with more than \(Pickle.maxWaiting) values on its stack")

  private var lowest: Int { Int(marks.last ?? 0) }

  mutating func push(_ value: Reference) throws(CheckpointError) {
    guard values.count < Pickle.maxWaiting else { throw Self.tooMany }
    values.append(value)
  }

  func top() throws(CheckpointError) -> Reference {
    guard values.count > lowest, let top = values.last else { throw Self.underflow }
    return top
  }

  mutating func pop() throws(CheckpointError) -> Reference {
    let value = try top()
    values.removeLast()
    return value
  }

  /// The last `count` values.
  mutating func pop(_ count: Int) throws(CheckpointError) -> [Reference] {
    guard values.count - lowest >= count else { throw Self.underflow }
    defer { values.removeLast(count) }
    return Array(values.suffix(count))
  }

  mutating func mark() throws(CheckpointError) {
    guard marks.count < Pickle.maxWaiting else { throw Self.tooMany }
    marks.append(Int32(values.count))
  }

  /// Takes the last mark away if nothing lies on it.
  mutating func dropMark() -> Bool {
    guard !marks.isEmpty, lowest == values.count else { return false }
    marks.removeLast()
    return true
  }

  /// The values on the last mark, which goes, too.
  mutating func popToMark() throws(CheckpointError) -> [Reference] {
    guard let mark = marks.popLast() else {
      throw CheckpointError(.malformed, "a pickle opcode needs a mark and there is none")
    }
    defer { values.removeLast(values.count - Int(mark)) }
    return Array(values[Int(mark)...])
  }

  /// The same, as keys and values in turn.
  mutating func popPairs() throws(CheckpointError) -> [Reference] {
    let flat = try popToMark()
    guard flat.count % 2 == 0 else {
      throw CheckpointError(.malformed, "a dictionary's key without a value")
    }
    return flat
  }
}
