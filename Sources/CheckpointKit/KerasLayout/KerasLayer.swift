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
  /// Whether names are those that transformers gives TensorFlow's variables, which are PyTorch's.
  var isTransformers = false
  /// Whether it is a recurrent cell that stands alone, as `torch.nn.LSTMCell`.
  var isCell = false
  /// Whether its weights are quotients of stored integers and scales.
  var isDequantized = false
  var variables: [Variable] = []

  /// The shape of a variable; `nil` if it is not there.
  func shape(_ name: String) -> Shape? { info(name)?.shape }

  /// Type and shape of a variable; `nil` if it is not there.
  func info(_ name: String) -> TensorInfo? { variables.first { $0.name == name }?.entry.info }
}

/// The layers of a checkpoint with Keras's names, in the order of their first tensors, as PyTorch would
/// have them: a cell is its recurrent layer, the projections of an attention are parts of it.
struct KerasLayers {
  private(set) var layers: [KerasLayer] = []
  /// Tensors that belong to no layer, or to one whose variables are numbered in an unknown order.
  private(set) var others: [Checkpoint.Entry]
  private var indices: [TensorName: Int] = [:]
  private let model: KerasModel

  /// Sorts a checkpoint's tensors into layers by their names, its layers' names and its description.
  ///
  /// - Throws: `CheckpointError` as ``KerasModel`` does.
  init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    model = try KerasModel(checkpoint)
    others = model.others
    for owner in model.owners { add(owner) }
  }

  private mutating func add(_ index: Int) {
    let part = model.layers[index]
    guard let names = model.variables(of: index) else {
      others += part.tensors.map(\.entry)
      return
    }
    let own = zip(names, part.tensors).map { KerasLayer.Variable(name: $0, entry: $1.entry) }
    let (owner, role) = model.owner(of: index, own)
    let path = model.path(of: owner)
    let whole = model.layers[owner]
    let known: Int
    if let found = indices[TensorName(path)] {
      known = found
    } else {
      known = layers.count
      indices[TensorName(path)] = known
      let kind = role.isEmpty ? part.kind : whole.described?.kind
      var layer = KerasLayer(path: path, kind: kind)
      layer.options = model.description(of: index)?.options ?? whole.described?.options
      layer.isTensorFlow = part.tensors.contains(where: \.name.isTensorFlow)
      layer.isTransformers = model.isTransformers
      layer.isCell = owner == index && part.kind?.hasSuffix("Cell") == true
      layers.append(layer)
    }
    layers[known].variables += own.map {
      KerasLayer.Variable(name: role + $0.name, entry: $0.entry)
    }
  }
}
