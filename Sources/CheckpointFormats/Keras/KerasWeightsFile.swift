import HDF5
import TensorCore

/// Keras 3's layout in HDF5: each layer is a group by its index in the model, and its variables
/// are the datasets `vars/0`, `vars/1`, … in it.
///
/// Source: Keras 3.15 `saving/saving_lib.py`. A layer in a list is called by its class and a
/// counter, `layers/dense_1`; what its user calls it is the attribute `name` of `vars`.
enum KerasWeightsFile {
  /// Whether a path is that of a variable.
  static func isVariable(_ path: [String]) -> Bool {
    path.count > 1 && path[path.count - 2] == "vars"
  }

  /// Sorts a file's datasets into the model's and the optimizer's, each in the order of names with
  /// numbers counted: `vars/2` before `vars/10`.
  static func content(of table: HDF5Table) -> KerasContent {
    var content = KerasContent()
    for dataset in table.datasets.sorted(by: { precedes($0.path, $1.path) }) {
      let variable = KerasContent.Variable(
        name: TensorName(dataset.path.joined(separator: "/")), dataset: dataset)
      if dataset.path[0] == content.optimizerKey, isVariable(dataset.path) {
        content.optimizer.append(variable)
      } else {
        content.model.append(variable)
      }
    }
    for group in table.groups where group.path.last == "vars" {
      guard case .text(let name)? = group.attributes.value("name") else { continue }
      content.layerNames[TensorName(group.path.dropLast().joined(separator: "/"))] = name
    }
    // Keras itself stores no text here; ckpt records what it has done.
    for attribute in table.groups.first?.attributes ?? [] {
      if case .text(let text) = attribute.value { content.metadata[attribute.name] = text }
    }
    content.notes = table.notes
    return content
  }

  /// Whether one path comes before another.
  static func precedes(_ left: [String], _ right: [String]) -> Bool {
    for (left, right) in zip(left, right) where TensorName(left) != TensorName(right) {
      let (leftKey, rightKey) = (key(left), key(right))
      // So `dense` comes before `dense_1`, and `dense_2` before `dense_10`, as Keras counts them.
      if leftKey.base != rightKey.base { return leftKey.base < rightKey.base }
      if leftKey.number != rightKey.number { return leftKey.number < rightKey.number }
      return TensorName(left) < TensorName(right)
    }
    return left.count < right.count
  }

  /// A name without the digits at its end, and their value; −1 where there are none or too many.
  private static func key(_ name: String) -> (base: TensorName, number: Int) {
    let digits = name.finalDigitCount
    guard let number = Int(name.suffix(digits)) else { return (TensorName(name), -1) }
    return (TensorName(String(name.dropLast(digits))), number)
  }
}
