import TensorCore

/// The keys of one object, compared as bytes: few one by one, many by their hashes.
///
/// A header has millions of them, and a `Set` computes the hash of each again and again as it grows.
struct KeySet {
  private static let few = 16

  private var keys: [String] = []
  private var hashes: [Int] = []
  /// At a key's hash, or in the next free place after it, its number from 1 on; 0 where there is none.
  private var places: [UInt32] = []

  /// Adds a key; returns whether it is new.
  mutating func insert(_ key: String) -> Bool {
    if keys.count < Self.few {
      // Swift takes two spellings of é for equal; they are different keys.
      if keys.contains(where: { $0 == key && $0.utf8.elementsEqual(key.utf8) }) { return false }
      if keys.isEmpty { keys.reserveCapacity(4) }
      keys.append(key)
      return true
    }
    if places.count < 2 * (keys.count + 1) { grow() }
    let hash = TensorName(key).hashValue
    var place = hash & (places.count - 1)
    while places[place] != 0 {
      let other = Int(places[place]) - 1
      if hashes[other] == hash, TensorName(keys[other]) == TensorName(key) { return false }
      place = (place + 1) & (places.count - 1)
    }
    keys.append(key)
    hashes.append(hash)
    places[place] = UInt32(keys.count)
    return true
  }

  private mutating func grow() {
    if hashes.isEmpty { hashes = keys.map { TensorName($0).hashValue } }
    places = [UInt32](repeating: 0, count: max(4 * Self.few, 2 * places.count))
    for (number, hash) in hashes.enumerated() {
      var place = hash & (places.count - 1)
      while places[place] != 0 { place = (place + 1) & (places.count - 1) }
      places[place] = UInt32(number + 1)
    }
  }
}
