import TensorCore

/// Two parts of a list of tensors, each described by as few modules as hold it and nothing else.
struct DiffParts {
  /// The paths of the first part; empty if it has none of the tensors or all of them.
  private(set) var changed: [String] = []
  /// The paths of the second part.
  private(set) var others: [String] = []

  /// Divides tensors into those that are marked and the others.
  init(_ tensors: [CheckpointDiff.Change], _ isChanged: [Bool]) {
    let count = isChanged.count { $0 }
    guard count > 0, count < tensors.count else { return }
    let tree = DiffTree(tensors)
    var counts = [Int](repeating: 0, count: tree.nodes.count)
    var totals = counts
    for index in tree.nodes.indices.reversed() {
      let node = tree.nodes[index]
      counts[index] = node.tensors.count { isChanged[$0] }
      totals[index] = node.tensors.count
      for child in node.children {
        counts[index] += counts[child]
        totals[index] += totals[child]
      }
    }
    var open = [0]
    while let index = open.popLast() {
      let node = tree.nodes[index]
      if index > 0, counts[index] == totals[index] {
        changed.append(node.path.text)
      } else if index > 0, counts[index] == 0 {
        others.append(node.path.text)
      } else {
        for tensor in node.tensors {
          let name = tensors[tensor].name.text
          if isChanged[tensor] { changed.append(name) } else { others.append(name) }
        }
        open += node.children.reversed()
      }
    }
    if let patterns = Self.leaves(tensors, isChanged), patterns.changed.count < changed.count {
      (changed, others) = patterns
    }
    (changed, others) = (Self.joined(changed), Self.joined(others))
  }

  /// `*.weight` for each last component of names, if the two parts have none in common.
  private static func leaves(
    _ tensors: [CheckpointDiff.Change], _ isChanged: [Bool]
  ) -> (changed: [String], others: [String])? {
    var seen: [TensorName: Bool] = [:]
    var leaves: (changed: [String], others: [String]) = ([], [])
    for (tensor, isChanged) in zip(tensors, isChanged) {
      let leaf = tensor.name.parentAndLeaf.leaf
      if let known = seen[TensorName(leaf)] {
        if known != isChanged { return nil }
        continue
      }
      seen[TensorName(leaf)] = isChanged
      if isChanged { leaves.changed.append("*.\(leaf)") } else { leaves.others.append("*.\(leaf)") }
    }
    return leaves
  }

  /// `blocks.0–10` for paths that are numbered one after another, `layer1–3` likewise.
  private static func joined(_ paths: [String]) -> [String] {
    var joined: [String] = []
    var run: (stem: String, first: String, last: Int)?
    func end() {
      guard let run else { return }
      let isOne = run.first.utf8.elementsEqual(String(run.last).utf8)
      joined.append("\(run.stem)\(run.first)" + (isOne ? "" : "–\(run.last)"))
    }
    for path in paths {
      let digits = path.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
      let stem = String(Substring(path.utf8.dropLast(digits)))
      guard digits > 0, digits < 10, let number = Int(path.suffix(digits)) else {
        end()
        run = nil
        joined.append(path)
        continue
      }
      if let known = run, known.stem.utf8.elementsEqual(stem.utf8), known.last + 1 == number {
        run?.last = number
      } else {
        end()
        run = (stem, String(path.suffix(digits)), number)
      }
    }
    end()
    return joined
  }
}
