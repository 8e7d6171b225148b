import CheckpointKit

/// The tensors of one file, or the pairs of two: the first file's in their order, then those that only the second has.
///
/// Entries are large and stay where they are: an item is made when it is asked for.
struct BrowserItems: RandomAccessCollection, Sendable {
  private let firsts: [Checkpoint.Entry]
  private let seconds: [Checkpoint.Entry]
  /// For each of the first file's tensors its partner in the second, or -1; empty for one file.
  private let partners: [Int32]
  /// Tensors that only the second file has.
  private let added: [Int32]
  /// Names of all items, in the first file if it has the tensor.
  let names: [TensorName]

  let startIndex = 0
  var endIndex: Int { names.count }

  /// The tensors of one file.
  init(_ entries: [Checkpoint.Entry]) {
    (firsts, seconds, partners, added) = (entries, [], [], [])
    names = entries.map(\.name)
  }

  /// Pairs the tensors of two files by name; `renamed` has those names in the second that differ.
  init(
    _ entries: [Checkpoint.Entry], _ others: [Checkpoint.Entry],
    partners renamed: [TensorName: TensorName]
  ) {
    (firsts, seconds) = (entries, others)
    let theirs = Dictionary(
      others.indices.map { (others[$0].name, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    var isTaken = [Bool](repeating: false, count: others.count)
    partners = entries.indices.map { index in
      let partner = theirs[renamed[entries[index].name] ?? entries[index].name] ?? -1
      if partner >= 0 { isTaken[Int(partner)] = true }
      return partner
    }
    added = others.indices.filter { !isTaken[$0] }.map { Int32($0) }
    names = entries.map(\.name) + added.map { others[Int($0)].name }
  }

  subscript(index: Int) -> BrowserItem {
    guard index < firsts.count else {
      return BrowserItem(
        name: names[index], first: nil, second: seconds[place(index)])
    }
    let partner = partners.isEmpty ? -1 : Int(partners[index])
    return BrowserItem(
      name: names[index], first: firsts[index], second: partner < 0 ? nil : seconds[partner])
  }

  /// Type, shape, and size of a tensor, those in the first file if it has it.
  func info(_ index: Int) -> TensorInfo {
    index < firsts.count ? firsts[index].info : seconds[place(index)].info
  }

  /// The type alone, without a copy of the shape.
  func dtype(_ index: Int) -> DType {
    index < firsts.count ? firsts[index].info.dtype : seconds[place(index)].info.dtype
  }

  /// The size alone.
  func size(_ index: Int) -> (elements: Int, bytes: Int) {
    index < firsts.count
      ? (firsts[index].info.elementCount, firsts[index].info.byteCount)
      : (seconds[place(index)].info.elementCount, seconds[place(index)].info.byteCount)
  }

  /// Whether a tensor is tied to another of its file.
  func isTied(_ index: Int) -> Bool {
    index < firsts.count ? firsts[index].alias != nil : seconds[place(index)].alias != nil
  }

  private func place(_ index: Int) -> Int { Int(added[index - firsts.count]) }
}

/// How much is inside a group, tied tensors counted once.
struct BrowserTally {
  private(set) var elements = 0
  private(set) var bytes = 0
  /// Tensors of each type, in the order in which the types come first.
  private(set) var types: [(dtype: DType, count: Int)] = []

  init(_ indices: [Int], in items: BrowserItems) {
    for index in indices {
      if !items.isTied(index) {
        let size = items.size(index)
        elements = elements.saturated(plus: size.elements)
        bytes = bytes.saturated(plus: size.bytes)
      }
      let dtype = items.dtype(index)
      if let place = types.firstIndex(where: { $0.dtype == dtype }) {
        types[place].count += 1
      } else {
        types.append((dtype, 1))
      }
    }
  }
}
