/// A recurrent net of several layers: `RNN`, `LSTM` or `GRU`.
///
/// For every layer, and within it for each direction: `weight_ih_l0` `[gates × hidden, in]`,
/// `weight_hh_l0` `[gates × hidden, out]`, `bias_ih_l0`, `bias_hh_l0`, and with a projection
/// `weight_hr_l0` `[projection, hidden]`; the backward direction's names end in `_reverse`. All
/// are drawn in that order, uniform within 1/√hidden.
/// Source: PyTorch 2.15 `torch/nn/modules/rnn.py`, class `RNNBase`.
public struct Recurrent: Layer {
  /// The three classes, which differ in the number of gates.
  public enum Cell: String, Sendable, CaseIterable {
    /// One gate.
    case rnn = "RNN"
    /// Four gates.
    case lstm = "LSTM"
    /// Three gates.
    case gru = "GRU"

    /// How many rows of a weight there are for each hidden number.
    package var gates: Int {
      switch self {
      case .rnn: 1
      case .lstm: 4
      case .gru: 3
      }
    }
  }

  /// Class.
  package let cell: Cell
  /// Size of the input.
  package let inputs: Int
  /// Size of the hidden state.
  package let hidden: Int
  /// Number of layers, 1 or more, each drawn in turn.
  public var layers = 1
  /// Whether there are biases.
  public var hasBias = true
  /// Whether inputs have the batch first; only printed.
  public var isBatchFirst = false
  /// Probability of dropout between layers, from 0 to 1; only printed.
  public var dropout = 0.0
  /// Whether there is a backward direction.
  public var isBidirectional = false
  /// Size that an LSTM's output is projected to; 0 for none.
  public var projection = 0

  /// Largest number of layers that is read from text.
  package static let maxLayers = 10_000

  /// Describes `nn.LSTM(inputs, hidden)` and its kin; the rest are properties.
  public init(_ cell: Cell, _ inputs: Int, _ hidden: Int) {
    self.cell = cell
    self.inputs = inputs
    self.hidden = hidden
  }

  public var kind: String { cell.rawValue }

  public var arguments: String {
    var text = "\(inputs), \(hidden)"
    if projection != 0 { text += ", proj_size=\(projection)" }
    if layers != 1 { text += ", num_layers=\(layers)" }
    if !hasBias { text += ", bias=False" }
    if isBatchFirst { text += ", batch_first=True" }
    if dropout != 0 { text += ", dropout=\(dropout.printed)" }
    if isBidirectional { text += ", bidirectional=True" }
    return text
  }

  public var parameters: [Parameter] {
    let initializer = Uniform(fan: hidden)
    let output = projection == 0 ? hidden : projection
    let rows = cell.gates * hidden
    var parameters: [Parameter] = []
    func add(_ name: String, _ suffix: String, _ shape: [Int]) {
      parameters.append(Parameter(name + suffix, shape: shape, initializer: initializer))
    }
    for layer in 0..<layers {
      let input = layer == 0 ? inputs : output * (isBidirectional ? 2 : 1)
      for direction in isBidirectional ? ["", "_reverse"] : [""] {
        let suffix = "_l\(layer)\(direction)"
        add("weight_ih", suffix, [rows, input])
        add("weight_hh", suffix, [rows, output])
        if hasBias {
          add("bias_ih", suffix, [rows])
          add("bias_hh", suffix, [rows])
        }
        if projection != 0 { add("weight_hr", suffix, [projection, hidden]) }
      }
    }
    return parameters
  }
}

extension Recurrent: PrintedLayer {
  package static let classes = ["RNN": ["RNNBase"], "LSTM": ["RNNBase"], "GRU": ["RNNBase"]]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(
      2...2, [],
      optional: [
        "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size",
      ])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let arguments = printed.arguments
    self.init(
      Cell(rawValue: printed.kind) ?? .rnn,
      try arguments.size(at: 0, called: "input_size"),
      try arguments.size(at: 1, called: "hidden_size"))
    layers = try arguments.size("num_layers", default: 1)
    hasBias = try arguments.flag("bias", default: true)
    isBatchFirst = try arguments.flag("batch_first", default: false)
    dropout = arguments.number("dropout", default: 0) ?? 0
    isBidirectional = try arguments.flag("bidirectional", default: false)
    projection = try arguments.size("proj_size", default: 0)
    guard (1...Self.maxLayers).contains(layers) else {
      throw ArgumentError(
        offset: 0, message: "expected 1 to \(Self.maxLayers), found num_layers=\(layers)")
    }
  }

  package static let suggestions = ["LSTM"]

  package static func inferred(from tensors: OwnTensors) -> [Recurrent] {
    guard let input = tensors.shape("weight_ih_l0"), let hidden = tensors.shape("weight_hh_l0"),
      input.count == 2, hidden.count == 2
    else { return [] }
    // With a projection the hidden state is narrower than the gates say.
    let projected = tensors.shape("weight_hr_l0")
    let size = projected?.last ?? hidden[1]
    guard let cell = Cell(rows: hidden[0], hidden: size) else { return [] }
    var layer = Recurrent(cell, input[1], size)
    layer.projection = projected?.first ?? 0
    layer.hasBias = tensors.shape("bias_ih_l0") != nil
    layer.isBidirectional = tensors.shape("weight_ih_l0_reverse") != nil
    let prefix = "weight_ih_l"
    let numbers = tensors.shapes.compactMap { tensor in
      tensor.name.hasPrefix(prefix) ? Int(tensor.name.dropFirst(prefix.count)) : nil
    }
    layer.layers = max(min(numbers.max() ?? 0, tensors.shapes.count - 1), 0) + 1
    return [layer]
  }
}

extension Recurrent.Cell {
  /// The cell whose gates take this many rows of a weight; `nil` if there is none.
  init?(rows: Int, hidden: Int) {
    guard hidden > 0, rows.isMultiple(of: hidden),
      let cell = Self.allCases.first(where: { rows / hidden == $0.gates })
    else { return nil }
    self = cell
  }
}
