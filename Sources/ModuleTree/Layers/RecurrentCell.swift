/// One step of a recurrent net: `RNNCell`, `LSTMCell` or `GRUCell`.
///
/// `weight_ih` `[gates × hidden, inputs]`, `weight_hh` `[gates × hidden, hidden]`, `bias_ih` and
/// `bias_hh`, drawn in that order, uniform within 1/√hidden.
/// Source: PyTorch 2.15 `torch/nn/modules/rnn.py`, class `RNNCellBase`.
public struct RecurrentCell: Layer {
  /// Class.
  package let cell: Recurrent.Cell
  /// Size of the input.
  package let inputs: Int
  /// Size of the hidden state.
  package let hidden: Int
  /// Whether there are biases.
  package let hasBias: Bool
  /// `tanh` or `relu`, for a plain cell.
  package let nonlinearity: String

  /// Describes `nn.LSTMCell(inputs, hidden, bias=…)` and its kin.
  public init(
    _ cell: Recurrent.Cell, _ inputs: Int, _ hidden: Int, bias: Bool = true,
    nonlinearity: String = "tanh"
  ) {
    self.cell = cell
    self.inputs = inputs
    self.hidden = hidden
    self.hasBias = bias
    self.nonlinearity = nonlinearity
  }

  public var kind: String { cell.rawValue + "Cell" }

  public var arguments: String {
    "\(inputs), \(hidden)" + (hasBias ? "" : ", bias=False")
      + (nonlinearity == "tanh" ? "" : ", nonlinearity=\(nonlinearity)")
  }

  public var parameters: [Parameter] {
    let initializer = Uniform(fan: hidden)
    let rows = cell.gates * hidden
    var shapes = [("weight_ih", [rows, inputs]), ("weight_hh", [rows, hidden])]
    if hasBias { shapes += [("bias_ih", [rows]), ("bias_hh", [rows])] }
    return shapes.map { Parameter($0.0, shape: $0.1, initializer: initializer) }
  }
}

extension RecurrentCell: PrintedLayer {
  package static let classes = [
    "RNNCell": ["RNNCellBase"], "LSTMCell": ["RNNCellBase"], "GRUCell": ["RNNCellBase"],
  ]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(2...2, [], optional: ["bias", "nonlinearity"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    self.init(
      Recurrent.Cell(rawValue: String(printed.kind.dropLast(4))) ?? .rnn,
      try printed.arguments.size(at: 0, called: "input_size"),
      try printed.arguments.size(at: 1, called: "hidden_size"),
      bias: try printed.arguments.flag("bias", default: true),
      nonlinearity: printed.arguments.text("nonlinearity") ?? "tanh")
  }

  package static func inferred(from tensors: OwnTensors) -> [RecurrentCell] {
    guard let input = tensors.shape("weight_ih"), let hidden = tensors.shape("weight_hh"),
      input.count == 2, hidden.count == 2,
      let cell = Recurrent.Cell(rows: hidden[0], hidden: hidden[1])
    else { return [] }
    return [RecurrentCell(cell, input[1], hidden[1], bias: tensors.shape("bias_ih") != nil)]
  }
}
