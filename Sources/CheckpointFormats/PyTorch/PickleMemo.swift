/// What a pickle has put aside to take again, by number.
///
/// Numbers follow each other in all that Python writes; others cost more and are taken, too.
struct PickleMemo {
  private var values: [Pickle.Reference] = []
  private var others: [Int: Pickle.Reference] = [:]

  /// How many values there are, which is the number that Python gives the next one.
  var count: Int { values.count + others.count }

  /// Puts a value aside; answers how many bytes of memory that takes.
  mutating func set(_ key: Int, _ value: Pickle.Reference) -> Int {
    switch key {
    case values.indices: values[key] = value
    case values.count: values.append(value)
    default:
      others[key] = value
      return 40
    }
    return MemoryLayout<Pickle.Reference>.stride
  }

  /// The value that was put aside last under a number.
  subscript(_ key: Int) -> Pickle.Reference? {
    values.indices.contains(key) ? values[key] : others[key]
  }
}
