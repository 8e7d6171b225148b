import TensorCore

/// The stack of the pickle machine, and the marks in it.
struct PickleStack {
  typealias Reference = Pickle.Reference

  private var values: [Reference] = []
  /// Number of values on the stack when each mark was set; values below a mark cannot be popped.
  private var marks: [Int32] = []
  /// What the machine had when each of the first marks was set, where it asks for that.
  private var places: [PickleMachine.Place] = []
  private static let maxPlaces = 1 << 12

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

  mutating func mark(_ place: PickleMachine.Place? = nil) throws(CheckpointError) {
    guard marks.count < Pickle.maxWaiting else { throw Self.tooMany }
    if let place, places.count == marks.count, places.count < Self.maxPlaces {
      places.append(place)
    }
    marks.append(Int32(values.count))
  }

  /// What the machine had when the last mark was set; `nil` if that is not known.
  var place: PickleMachine.Place? { places.count == marks.count ? places.last : nil }

  private mutating func popMark() -> Int? {
    if places.count == marks.count, !places.isEmpty { places.removeLast() }
    return marks.popLast().map { Int($0) }
  }

  /// Removes the last mark if there are no values after it.
  mutating func dropMark() -> Bool {
    guard !marks.isEmpty, lowest == values.count else { return false }
    _ = popMark()
    return true
  }

  /// Removes the last mark and the values after it, and returns these.
  mutating func popToMark() throws(CheckpointError) -> [Reference] {
    guard let mark = popMark() else {
      throw CheckpointError(.malformed, "a pickle opcode needs a mark, but there is none")
    }
    defer { values.removeLast(values.count - mark) }
    return Array(values[mark...])
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
