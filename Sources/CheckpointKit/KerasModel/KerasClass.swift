import TensorCore

/// What Keras's own classes call their variables, and in which order they keep them.
///
/// Source: Keras 3.15 `layers/`, and `naming.to_snake_case` for the names in files.
enum KerasClass {
  /// Classes by the name that Keras makes of them for files and for layers without a name.
  private static let known: [String: String] = {
    let ranks = (1...3).flatMap { ["Conv\($0)D", "Conv\($0)DTranspose", "ConvLSTM\($0)D"] }
    let others = [
      "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "Dense",
      "EinsumDense", "Embedding", "ReversibleEmbedding", "LSTM", "GRU", "SimpleRNN", "RNN",
      "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "Bidirectional",
      "TimeDistributed", "MultiHeadAttention", "GroupQueryAttention", "BatchNormalization",
      "LayerNormalization", "GroupNormalization", "RMSNormalization", "SpectralNormalization",
      "Normalization",
      "PReLU", "Sequential", "Functional",
    ]
    return Dictionary(keepingFirst: (ranks + others).map { (snakeCase($0), $0) })
  }()

  /// What Keras calls an object of a class in a list: `p_re_lu` for `PReLU`.
  static func snakeCase(_ kind: String) -> String {
    func isUpper(_ byte: UInt8) -> Bool { (65...90).contains(byte) }
    func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    let word = kind.utf8.filter {
      isUpper($0) || isLower($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") || $0 >= 0x80
    }
    // An underscore before a capital that a small letter follows, then between small and capital.
    var first: [UInt8] = []
    var index = 0
    while index < word.count {
      first.append(word[index])
      guard index + 2 < word.count, isUpper(word[index + 1]), isLower(word[index + 2]) else {
        index += 1
        continue
      }
      first += [UInt8(ascii: "_"), word[index + 1]]
      index += 2
      while index < word.count, isLower(word[index]) {
        first.append(word[index])
        index += 1
      }
    }
    var snake: [UInt8] = []
    for (index, byte) in first.enumerated() {
      if index > 0, isUpper(byte), isLower(first[index - 1]) { snake.append(UInt8(ascii: "_")) }
      snake.append(isUpper(byte) ? byte + 32 : byte)
    }
    return String(decoding: snake, as: UTF8.self)
  }

  /// Whether a class has projections to and from heads.
  static func isAttention(_ kind: String) -> Bool {
    kind == "MultiHeadAttention" || kind == "GroupQueryAttention"
  }

  /// Whether a class has one cell of its own.
  static func isRecurrent(_ kind: String) -> Bool {
    ["LSTM", "GRU", "SimpleRNN"].contains(kind) || kind.hasPrefix("ConvLSTM")
  }

  /// Whether a class has only variables of its own, so that whatever names follow are not parts of it.
  static func isPlain(_ kind: String) -> Bool {
    kind != "SpectralNormalization"
      && ["Dense", "Embedding", "PReLU", "Normalization", "Cell"].contains(where: kind.hasSuffix)
      || kind.contains("Conv") && !kind.contains("LSTM")
  }

  /// The class of a name that Keras made, `dense_1`; `nil` for any other name.
  static func named(_ name: String) -> String? {
    let base = name.dropLast(name.finalDigitCount)
    let isCounted = base.count < name.count && base.utf8.last == UInt8(ascii: "_")
    return known[isCounted ? String(base.dropLast()) : name]
  }

  /// The names of a layer's numbered variables; `nil` where the class, its options and the shapes do
  /// not tell.
  static func variables(
    _ kind: String?, _ options: KerasDescription.Options?, _ tensors: [TensorInfo]
  ) -> [String]? {
    let shapes = tensors.map(\.shape)
    let isQuantized = tensors.first.map { !$0.dtype.isFloatingPoint } ?? false
    let names =
      isQuantized ? quantized(kind, shapes) : candidates(kind, options, shapes)
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
    case "Normalization": return ["mean", "variance", "count"]
    case "SpectralNormalization": return shapes.count == 2 ? ["kernel", "vector_u"] : nil
    case "PReLU": return ["alpha"]
    case "Embedding": return ["embeddings"]
    case "ReversibleEmbedding": return ["embeddings", "reverse_embeddings"]
    case "SeparableConv1D", "SeparableConv2D":
      return ["depthwise_kernel", "pointwise_kernel", "bias"]
    case let kind? where kind.hasSuffix("Cell") && isRecurrent(String(kind.dropLast(4))):
      return ["kernel", "recurrent_kernel", "bias"]
    case let kind? where kind.contains("Conv") || kind.contains("Dense"): return ["kernel", "bias"]
    case nil: return guessed(shapes)
    default: return nil
    }
  }

  /// Names in a layer whose weights are integers, with the scales that they are divided by.
  private static func quantized(_ kind: String?, _ shapes: [Shape]) -> [String]? {
    switch (kind, shapes.count) {
    case ("Embedding", 2): ["embeddings", "embeddings_scale"]
    case ("Dense", 2), ("EinsumDense", 2): ["kernel", "kernel_scale"]
    case ("Dense", 3), ("EinsumDense", 3): ["kernel", "bias", "kernel_scale"]
    default: nil
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
