/// What Keras's own classes call their variables, and in which order they keep them.
///
/// Source: Keras 3.15 `layers/`, and `naming.to_snake_case` for the names in files.
enum KerasClass {
  /// Classes by the name that Keras makes of them for files and for layers without a name.
  private static let known: [String: String] = {
    let convolutions = (1...3).flatMap { ["Conv\($0)D", "Conv\($0)DTranspose"] }
    let others = [
      "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "Dense",
      "EinsumDense", "Embedding", "LSTM", "GRU", "Bidirectional", "TimeDistributed",
    ]
    var known = [
      "batch_normalization": "BatchNormalization", "layer_normalization": "LayerNormalization",
      "group_normalization": "GroupNormalization", "rms_normalization": "RMSNormalization",
      "p_re_lu": "PReLU", "simple_rnn": "SimpleRNN", "simple_rnn_cell": "SimpleRNNCell",
      "lstm_cell": "LSTMCell", "gru_cell": "GRUCell", "multi_head_attention": "MultiHeadAttention",
      "embedding": "Embedding", "time_distributed": "TimeDistributed",
      "einsum_dense": "EinsumDense",
    ]
    for name in convolutions + others {
      let snake = name.replacing("Transpose", with: "_transpose").replacing("eConv", with: "e_conv")
      known[snake.lowercased(), default: name] = name
    }
    return known
  }()

  /// The class of a name that Keras made, `dense_1`; `nil` for any other name.
  static func named(_ name: String) -> String? {
    let digits = name.utf8.reversed().prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    let base = name.dropLast(digits.count)
    let isCounted = !digits.isEmpty && base.utf8.last == UInt8(ascii: "_")
    return known[isCounted ? String(base.dropLast()) : name]
  }

  /// The names of a layer's numbered variables; `nil` where the class, its options and the shapes do
  /// not tell.
  static func variables(
    _ kind: String?, _ options: KerasDescription.Options?, shapes: [Shape]
  ) -> [String]? {
    let names = candidates(kind, options, shapes)
    guard let names, names.count >= shapes.count else { return nil }
    return Array(names.prefix(shapes.count))
  }

  private static func candidates(
    _ kind: String?, _ options: KerasDescription.Options?, _ shapes: [Shape]
  ) -> [String]? {
    switch kind {
    case "BatchNormalization":
      let own = affine(options, count: shapes.count - 2)
      return own.map { $0 + ["moving_mean", "moving_variance"] }
    case "LayerNormalization", "GroupNormalization": return affine(options, count: shapes.count)
    case "RMSNormalization": return ["scale"]
    case "PReLU": return ["alpha"]
    case "Embedding": return ["embeddings"]
    case "SeparableConv1D", "SeparableConv2D":
      return ["depthwise_kernel", "pointwise_kernel", "bias"]
    case "LSTMCell", "GRUCell", "SimpleRNNCell": return ["kernel", "recurrent_kernel", "bias"]
    case let kind? where kind.contains("Conv") || kind.contains("Dense"): return ["kernel", "bias"]
    case nil: return guessed(shapes)
    default: return nil
    }
  }

  /// `gamma` and `beta`, as far as they are there.
  private static func affine(_ options: KerasDescription.Options?, count: Int) -> [String]? {
    switch count {
    case 0: []
    case 1:
      switch (options?.scale, options?.center) {
      case (false, _): ["beta"]
      case (_, false): ["gamma"]
      default: nil
      }
    case 2: ["gamma", "beta"]
    default: nil
    }
  }

  /// Names for a class that only the shapes suggest.
  private static func guessed(_ shapes: [Shape]) -> [String]? {
    let ranks = shapes.map(\.count)
    switch ranks {
    case [1, 1]: return ["gamma", "beta"]
    case [1, 1, 1, 1]: return ["gamma", "beta", "moving_mean", "moving_variance"]
    case [2, 2], [2, 2, 1], [2, 2, 2]:
      let (width, units) = (shapes[0][1], shapes[1][0])
      guard shapes[1][1] == width, units > 0, [1, 3, 4].contains(where: { $0 * units == width })
      else { return nil }
      return ["kernel", "recurrent_kernel", "bias"]
    case [2, 1], [3, 1], [4, 1], [5, 1]: return ["kernel", "bias"]
    default: return nil
    }
  }
}
