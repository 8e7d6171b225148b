import CheckpointKit

extension DiffPrinter {
  /// A line of the list: one tensor, or all of a module.
  struct Row {
    let name: String
    let newName: String?
    let isModule: Bool
    /// The kind of the tensor, or of all changed tensors of the module; `nil` if there are several.
    let kind: CheckpointDiff.Change.Kind?
    let tensors: Int
    let changed: Int
    let elements: Int
    let differing: Int
    let difference: TensorDifference?
    /// Type and shape, of both files where they are not the same.
    let shape: String
    /// What the columns do not say.
    var remarks: [String] = []

    init(_ row: DiffTree.Row, _ tree: DiffTree, _ diff: CheckpointDiff) {
      switch row {
      case .tensor(let index): self.init(diff.tensors[index])
      case .module(let index): self.init(tree.nodes[index])
      }
    }

    private init(_ tensor: CheckpointDiff.Change) {
      (name, newName, isModule) = (tensor.name.text, tensor.newName?.text, false)
      (kind, tensors, changed) = (tensor.kind, 1, tensor.kind == .identical ? 0 : 1)
      let count = tensor.difference?.elementCount ?? tensor.info?.elementCount ?? 0
      elements = count
      let isMoved = [.identical, .renamed].contains(tensor.kind) || tensor.axes != nil
      differing = tensor.difference?.differingCount ?? (isMoved ? 0 : count)
      difference = tensor.difference
      func text(_ info: TensorInfo) -> String { "\(info.dtype.rawValue) \(info.shape.listText)" }
      switch (tensor.old, tensor.new) {
      case (let old?, let new?) where old != new:
        shape = ""
        remarks = ["\(text(old)) → \(text(new))"]
      case (let info?, _), (nil, let info?): shape = text(info)
      case (nil, nil): shape = ""
      }
      switch tensor.kind {
      case .added, .removed, .identical: remarks.append(tensor.kind.rawValue)
      case .transposed:
        remarks.append("transposed")
        if tensor.difference?.differingCount == 0 || tensor.difference == nil {
          remarks.append("values equal")
        }
      default: break
      }
    }

    private init(_ node: DiffTree.Node) {
      let sum = node.sum
      (name, newName, isModule) = (node.path.text, nil, true)
      let kinds = sum.kindCounts.keys.filter { $0 != .identical }
      kind = kinds.count == 1 ? kinds.first : kinds.isEmpty ? .identical : nil
      (tensors, changed) = (sum.tensorCount, sum.changedCount)
      (elements, differing) = (sum.elementCount, sum.differingCount)
      difference = sum.difference.elementCount > 0 ? sum.difference : nil
      shape = ""
      let only = [.changed, .identical].contains(kind)
      if kind == .identical { remarks = ["identical"] }
      if !only {
        remarks = CheckpointDiff.Change.Kind.allCases.filter {
          kinds.contains($0) && $0 != .changed
        }
        .map { kind in
          let count = sum.count(kind)
          return count == sum.tensorCount ? kind.rawValue : "\(count.grouped) \(kind.rawValue)"
        }
      }
    }

    var mark: String {
      switch kind {
      case .added: "+"
      case .removed: "-"
      case .renamed: ">"
      case .reshaped, .retyped, .transposed: "!"
      case .changed, nil: "~"
      case .identical: "="
      }
    }

    var shownName: String { name.escapingControls }

    /// The share of elements that differ.
    var share: Double { elements == 0 ? 0 : Double(differing) / Double(elements) }
  }
}

extension Double {
  /// A share of 0 to 1 in percent, with two significant digits and never 0 or 100 for what is not.
  var percent: String {
    if self <= 0 { return "0%" }
    if self >= 1 { return "100%" }
    let number = self * 100
    if number > 99.9 { return ">99.9%" }
    if number < 0.001 { return "<0.001%" }
    let places = number >= 10 ? 1 : number >= 1 ? 2 : number >= 0.1 ? 3 : 4
    return "\(number.rounded(toPlaces: places).short)%"
  }

  /// A cosine with as many digits as tell it from 1.
  var cosineText: String {
    if isNaN { return "nan" }
    // Of parallel vectors it is 1 but for the rounding of sums.
    if abs(self) > 1 - 1e-12 { return self > 0 ? "1" : "-1" }
    let rounded = rounded(toPlaces: 4)
    return abs(rounded) == 1 ? self > 0 ? "1.0000" : "-1.0000" : rounded.short
  }
}
