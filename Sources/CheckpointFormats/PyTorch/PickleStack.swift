import TensorCore

/// The stack of the pickle machine, and the marks in it.
struct PickleStack {
  typealias Reference = Pickle.Reference

  private var values: [Reference] = []
  /// Number of values on the stack when each mark was set; values below a mark cannot be popped.
  private var marks: [Int32] = []

  static let underflow = CheckpointError(
    .malformed, "a pickle opcode takes more values than the stack has")
  private static let tooMany = CheckpointError(
    .unsupported, "the pickle puts more than \(Pickle.maxWaiting) values on its stack")

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

  /// Removes the last mark if there are no values after it.
  mutating func dropMark() -> Bool {
    guard !marks.isEmpty, lowest == values.count else { return false }
    marks.removeLast()
    return true
  }

  /// Removes the last mark and the values after it, and returns these.
  mutating func popToMark() throws(CheckpointError) -> [Reference] {
    guard let mark = marks.popLast() else {
      throw CheckpointError(.malformed, "a pickle opcode needs a mark, but there is none")
    }
    defer { values.removeLast(values.count - Int(mark)) }
    return Array(values[Int(mark)...])
  }

  /// The same as ``popToMark()`` for alternating keys and values.
  mutating func popPairs() throws(CheckpointError) -> [Reference] {
    let flat = try popToMark()
    guard flat.count % 2 == 0 else {
      throw CheckpointError(.malformed, "a dictionary key has no value")
    }
    return flat
  }
}
