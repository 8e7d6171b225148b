import TensorCore

/// A Keras layer as described by its tensors, including those of its parts (the cell of a recurrent
/// layer, the projections of an attention).
struct KerasLayer {
  /// One variable: its name in the layer, and its tensor.
  struct Variable {
    let name: String
    let entry: Checkpoint.Entry
  }

  /// Path of the module in PyTorch.
  let path: String
  /// Class, if names or a description show it.
  var kind: String?
  /// Options, if a description shows them.
  var options: KerasDescription.Options?
  /// Whether names are TensorFlow's, in which a depthwise kernel is called so.
  var isTensorFlow = false
  var variables: [Variable] = []

  /// The shape of a variable; `nil` if it is not there.
  func shape(_ name: String) -> Shape? {
    variables.first { $0.name == name }?.entry.info.shape
  }
}

/// The layers of a checkpoint with Keras's names, in the order of their first tensors.
struct KerasLayers {
  private(set) var layers: [KerasLayer] = []
  /// Tensors that belong to no layer, or to one whose variables are numbered in an unknown order.
  private(set) var others: [Checkpoint.Entry] = []
  private var indices: [TensorName: Int] = [:]
  private let names: KerasNames

  /// Sorts a checkpoint's tensors into layers by their names, its layers' names and its description.
  init(_ checkpoint: Checkpoint) {
    names = KerasNames(checkpoint)
    var order: [TensorName] = []
    var groups: [TensorName: [(name: KerasName, entry: Checkpoint.Entry)]] = [:]
    for entry in checkpoint.entries {
      guard let name = KerasName(entry.name) else {
        others.append(entry)
        continue
      }
      let key = TensorName(name.layer.joined(separator: "/"))
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append((name, entry))
    }
    for key in order { add(groups[key] ?? []) }
  }

  /// Adds the contents of one group of the file.
  private mutating func add(_ group: [(name: KerasName, entry: Checkpoint.Entry)]) {
    guard let first = group.first?.name else { return }
    let described = names.described(first.layer, isNumbered: first.isNumbered)
    let kind = described?.kind ?? names.kind(first)
    var variables = group.map(\.name.variable)
    if first.isNumbered {
      let known = KerasClass.variables(
        kind, described?.options, shapes: group.map(\.entry.info.shape))
      guard let known else {
        others += group.map(\.entry)
        return
      }
      variables = known
    }
    let own = zip(variables, group).map { KerasLayer.Variable(name: $0, entry: $1.entry) }
    let (owner, role) = names.owner(of: first, own)
    let path = names.path(owner, isNumbered: first.isNumbered)
    let index: Int
    if let known = indices[TensorName(path)] {
      index = known
    } else {
      index = layers.count
      indices[TensorName(path)] = index
      let whole =
        role.isEmpty ? described : names.described(owner, isNumbered: first.isNumbered)
      layers.append(
        KerasLayer(
          path: path, kind: role.isEmpty ? kind : whole?.kind,
          options: whole?.options ?? described?.options, isTensorFlow: first.isTensorFlow))
    }
    layers[index].variables += own.map {
      KerasLayer.Variable(name: role + $0.name, entry: $0.entry)
    }
  }
}

/// A tensor's name as Keras spells it.
struct KerasName {
  /// The groups that lead to the layer, without `vars`.
  let layer: [String]
  /// The variable's name, without TensorFlow's `:0`, or its number.
  let variable: String
  /// Whether the file numbers variables instead of naming them, as Keras 3's own does.
  let isNumbered: Bool
  /// Whether it ends as TensorFlow's names do.
  let isTensorFlow: Bool

  /// Divides a name; `nil` for one without a slash.
  init?(_ name: TensorName) {
    var parts = name.text.utf8.split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
    guard parts.count > 1, var variable = parts.popLast() else { return nil }
    isTensorFlow = variable.hasSuffix(":0")
    if isTensorFlow { variable.removeLast(2) }
    isNumbered = parts.last == "vars" && Int(variable) != nil
    if parts.last == "vars" { parts.removeLast() }
    layer = parts
    self.variable = variable
  }
}
