public import TensorCore

/// What became of the tensors of a comparison, added up along the module tree that their names spell.
public struct DiffTree: Sendable {
  /// A module: a path that names of tensors begin with.
  public struct Node: Sendable {
    /// The path; empty for the root.
    public let path: TensorName
    /// Components of the path.
    public let depth: Int
    /// Modules directly inside it: indices in ``DiffTree/nodes``, in the order of their first tensors.
    public internal(set) var children: [Int] = []
    /// Tensors directly inside it: indices in ``CheckpointDiff/tensors``.
    public internal(set) var tensors: [Int] = []
    /// Everything inside it.
    public internal(set) var sum = DiffSum()
  }

  /// A line of an overview.
  public enum Row: Hashable, Sendable {
    /// Everything in a module: an index in ``DiffTree/nodes``.
    case module(Int)
    /// One tensor: an index in ``CheckpointDiff/tensors``.
    case tensor(Int)
  }

  /// All modules; the root first, each after the one that it is in.
  public private(set) var nodes: [Node]

  /// Deeper components of a name are taken for part of the tensor's own name.
  public static let maxDepth = 32

  /// Adds up a comparison.
  ///
  /// A tensor stands where its name in the first file says, and an added one where the second does.
  public init(_ diff: CheckpointDiff) { self.init(diff.tensors) }

  /// Adds up these tensors.
  public init(_ tensors: [CheckpointDiff.Change]) {
    nodes = [Node(path: "", depth: 0)]
    var places: [TensorName: Int] = [:]
    for (index, tensor) in tensors.enumerated() {
      let place = place(of: tensor.name, in: &places)
      nodes[place].tensors.append(index)
      nodes[place].sum.add(tensor)
    }
    for index in nodes.indices.reversed() {
      for child in nodes[index].children { nodes[index].sum.add(nodes[child].sum) }
    }
  }

  /// The module that a tensor is in, made with all that it is in.
  private mutating func place(of name: TensorName, in places: inout [TensorName: Int]) -> Int {
    let (parent, _) = name.parentAndLeaf
    if let known = places[TensorName(parent)] { return known }
    var node = 0
    let text = name.text.utf8
    var end = text.startIndex
    for depth in 1...Self.maxDepth {
      guard let dot = text[end...].firstIndex(of: UInt8(ascii: ".")) else { break }
      let path = TensorName(String(Substring(text[..<dot])))
      end = text.index(after: dot)
      if let known = places[path] {
        node = known
        continue
      }
      nodes[node].children.append(nodes.count)
      places[path] = nodes.count
      node = nodes.count
      nodes.append(Node(path: path, depth: depth))
    }
    return node
  }

  /// The lines of an overview that shows modules of `depth` components as one line each, and tensors
  /// outside them; a module with only one line inside it gives that line.
  ///
  /// Only what `isShown` says of the tensors is shown, and modules that have some of it.
  public func rows(
    depth: Int, where isShown: (Int) -> Bool = { _ in true }
  ) -> [Row] {
    var counts = [Int](repeating: 0, count: nodes.count)
    for index in nodes.indices.reversed() {
      counts[index] = nodes[index].tensors.count(where: isShown)
      for child in nodes[index].children { counts[index] += counts[child] }
    }
    var rows: [Row] = []
    /// Nodes to visit, the next one last.
    var open = [0]
    while let index = open.popLast() {
      let node = nodes[index]
      if counts[index] == 0 { continue }
      if node.depth >= depth, counts[index] > 1, index > 0 {
        rows.append(.module(index))
        continue
      }
      rows += node.tensors.filter(isShown).map(Row.tensor)
      open += node.children.reversed()
    }
    return rows
  }

  /// The largest depth of which an overview has at most `count` lines, and at least 1.
  public func depth(fitting count: Int, where isShown: (Int) -> Bool = { _ in true }) -> Int {
    let deepest = (nodes.map(\.depth).max() ?? 0) + 1
    var (low, high) = (1, max(deepest, 1))
    // Deeper overviews have more lines.
    while low < high {
      let middle = (low + high + 1) / 2
      if rows(depth: middle, where: isShown).count <= count {
        low = middle
      } else {
        high = middle - 1
      }
    }
    return low
  }
}
