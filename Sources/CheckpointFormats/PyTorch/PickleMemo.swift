/// The memo of a pickle: values stored to be used again, by index.
///
/// Python writes consecutive indices; others are also accepted, but cost more memory.
struct PickleMemo {
  private var values: [Pickle.Reference] = []
  private var others: [Int: Pickle.Reference] = [:]
  /// How often a value was stored.
  private(set) var changes = 0

  /// Number of values, which is the index that MEMOIZE gives the next one.
  var count: Int { values.count + others.count }

  /// Stores a value and returns how many bytes of memory that takes.
  mutating func set(_ key: Int, _ value: Pickle.Reference) -> Int {
    changes += 1
    switch key {
    case values.indices: values[key] = value
    case values.count: values.append(value)
    default:
      others[key] = value
      return 40
    }
    return MemoryLayout<Pickle.Reference>.stride
  }

  /// The value stored last at an index.
  subscript(_ key: Int) -> Pickle.Reference? {
    values.indices.contains(key) ? values[key] : others[key]
  }
}
