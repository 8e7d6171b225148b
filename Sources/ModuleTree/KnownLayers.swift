import TensorCore

/// What the class names of a printed model mean.
package enum KnownLayers {
  /// Every layer that owns tensors or has an order of construction of its own; a new one is one
  /// file in `Layers/` and one word here.
  ///
  /// Of the suggestions for an unknown class, those of earlier layers come first.
  package static let all: [any PrintedLayer.Type] = [
    LayerNorm.self, RMSNorm.self, Embedding.self, GroupNorm.self, RunningNorm.self,
    Convolution.self, Linear.self, Bilinear.self, PReLU.self, Recurrent.self,
    RecurrentCell.self, MultiheadAttention.self, TransformerLayer.self, TransformerStack.self,
    Transformer.self, AdaptiveLogSoftmax.self, ParameterCollection.self, Conv1D.self,
    FrozenBatchNorm.self,
  ]

  fileprivate static let types: [String: any PrintedLayer.Type] = {
    var types: [String: any PrintedLayer.Type] = [:]
    for type in all {
      for kind in type.classes.keys { types[kind] = type }
    }
    return types
  }()

  private static let bases: [String: [String]] = all.reduce(into: Parameterless.classes) {
    $0.merge($1.classes) { first, _ in first }
  }

  /// The layer that a class is.
  static func type(of kind: String) -> (any PrintedLayer.Type)? { types[kind] }

  /// Names of the classes that are known, in alphabetical order.
  package static var names: [String] { bases.keys.sorted() }

  /// Whether a class is one of PyTorch's that this version knows.
  package static func knows(_ kind: String) -> Bool { bases[kind] != nil }

  /// The class itself and those that it derives from, nearest first, as far as they are known.
  package static func lineage(of kind: String) -> [String] { [kind] + (bases[kind] ?? []) }

  /// The class that an unknown one is treated as because it prints like it; `nil` if the class is
  /// known or speaks for none.
  package static func guessedBase(
    kind: String, arguments: String, children: [Module.Child]
  ) -> String? {
    if knows(kind) && library(of: kind) == nil {
      let isOther = types[kind].map { type in
        !type.prints(
          PrintedModule(kind: kind, arguments: PrintedArguments(arguments), children: children))
      }
      if isOther != true || arguments.isEmpty { return nil }
    }
    if kind.hasPrefix(parametrized) {
      let bare = String(kind.dropFirst(parametrized.count))
      if bare.hasPrefix(parametrized) { return nil }
      return knows(bare) ? bare : guessedBase(kind: bare, arguments: arguments, children: children)
    }
    let printed = PrintedModule(
      kind: kind, arguments: PrintedArguments(arguments), children: children)
    let likely = all.lazy.compactMap { $0.likelyClass(of: printed) }.first
    guard let base = likely, let type = types[base] else { return nil }
    // A resemblance counts only if the known class can also read the arguments.
    let alike = PrintedModule(kind: base, arguments: printed.arguments, children: children)
    guard let layer = try? type.init(printed: alike) else { return nil }
    // A class of torch.nn's name that prints more than torch.nn's is another one.
    if knows(kind), library(of: kind) == nil,
      !Set(PrintedArguments(layer.arguments).names).isSuperset(of: printed.arguments.names)
    {
      return nil
    }
    return base
  }

  /// What PyTorch puts before a class's name for a module with a parametrization.
  static let parametrized = "Parametrized"

  /// End of the names of transformers' tables of angles, buffers that `state_dict()` leaves out.
  static let rotaryTable = "RotaryEmbedding"

  /// The layers of a class that may have these tensors.
  static func inferred(_ kind: String, from tensors: OwnTensors) -> [any Layer] {
    types[kind]?.inferred(from: tensors) ?? []
  }

  /// The library that defines a class; `nil` for one of `torch.nn` and for an unknown one.
  package static func library(of kind: String) -> String? { types[kind]?.library }

  /// What a side file can say of layers whose options are not printed: each class with its options.
  static var unprintedOptions: String {
    all.filter { !$0.unprintedOptions.isEmpty }.map { type in
      let classes = type.classes.keys.sorted().joined(separator: ", ")
      return "\(classes) (\(type.unprintedOptions.joined(separator: ", ")))"
    }.joined(separator: " or ")
  }

  /// Reads a printed module; `nil` for a class that owns no tensors.
  ///
  /// - Throws: ``ArgumentError`` when the arguments cannot be read, or the class is unknown and
  ///   looks as if it owned tensors that its text does not show.
  package static func layer(
    kind: String, base: String?, arguments: String, children: [Module.Child], isDescribed: Bool
  ) throws(ArgumentError) -> (any Layer)? {
    let printed = PrintedModule(
      kind: base ?? kind, arguments: PrintedArguments(arguments), children: children)
    let isOther = base == nil && (types[kind].map { !$0.prints(printed) } ?? false)
    if let type = types[printed.kind], !isOther {
      let layer = try type.init(printed: printed)
      for parameter in layer.parameters {
        guard let refusal = parameter.refusal else { continue }
        throw ArgumentError(offset: 0, message: "\(parameter.name) of \(refusal.message)")
      }
      return layer
    }
    if isDescribed || (knows(printed.kind) && !isOther) { return nil }
    if isOther && children.isEmpty {
      throw ArgumentError(
        offset: -1,
        message: """
          \(kind)(\(arguments.prefix(80))) does not print like torch.nn's \(kind); say in the \
          --extra file which tensors it owns, 'path.weight: [3, 4]', or that it owns none, \
          'class \(kind)(Module)'
          """)
    }
    // What a table of library classes can give is asked for later, if it does not.
    if printed.seemsToOwnTensors, base != nil || !Library.explains(kind),
      UnprintedParameters.examples[printed.kind] == nil
    {
      throw ArgumentError(
        offset: -1,
        message: """
          unknown class \(kind) seems to own tensors; say in the --extra file which class it \
          resembles, 'class \(kind)(\(printed.likeness ?? "Linear"))', that it owns none, \
          'class \(kind)(Module)', or which tensors it owns, 'path.weight: [3, 4]'
          """)
    }
    return nil
  }
}

extension PrintedModule {
  /// Whether this many arguments come without a name, and these names are among the others.
  func has(positional count: Int, _ names: String...) -> Bool {
    arguments.positionalCount == count && Set(arguments.names).isSuperset(of: names)
  }

  /// Ends of names whose classes own tensors as a rule.
  private static let tellingEnds = [
    "norm", "norm1d", "norm2d", "norm3d", "linear", "linear8bitlt", "linear4bit", "dense", "conv",
    "conv1d", "conv2d", "conv3d", "embedding", "embeddings", "embed", "encoding", "rnn", "lstm",
    "gru", "cell", "attention", "scale", "prelu",
  ]
  /// Argument names that size a tensor as a rule.
  private static let tellingNames: Set<String> = [
    "in_features", "out_features", "num_features", "in_channels", "out_channels", "num_channels",
    "num_embeddings", "embedding_dim", "normalized_shape", "input_size", "hidden_size", "nf", "nx",
    "kernel_size", "eps", "affine", "elementwise_affine", "num_parameters", "embed_dim", "dim",
    "hidden_dim", "rank",
  ]

  /// A known class that prints arguments of the same names and number.
  fileprivate var likeness: String? {
    KnownLayers.all.flatMap { $0.suggestions }.first { candidate in
      let alike = PrintedModule(kind: candidate, arguments: arguments, children: children)
      guard let type = KnownLayers.types[candidate], let layer = try? type.init(printed: alike)
      else { return false }
      let own = PrintedArguments(layer.arguments)
      return own.positionalCount == arguments.positionalCount
        && Set(own.names).isSuperset(of: arguments.names)
    }
  }

  /// Whether a class that is unknown looks as if it owned tensors.
  fileprivate var seemsToOwnTensors: Bool {
    if isPooling { return false }
    if !tellsNothing { return true }
    guard children.isEmpty, !isRotaryTable else { return false }
    let name = kind.lowercased()
    return name.hasPrefix("parametrized") || Self.tellingEnds.contains { name.hasSuffix($0) }
  }

  private var isRotaryTable: Bool {
    arguments.text.isEmpty && kind.hasSuffix(KnownLayers.rotaryTable)
  }

  /// Whether the class is a variant of average or maximum pooling, which has no channels.
  private var isPooling: Bool {
    (kind.hasPrefix("AvgPool") || kind.hasPrefix("MaxPool")) && arguments.positionalCount == 0
  }

  private var tellsNothing: Bool {
    let first = arguments.text.utf8.first ?? 0
    let startsWithSize = first.isDigit || first == UInt8(ascii: "(")
    return !startsWithSize && Self.tellingNames.isDisjoint(with: arguments.names)
      && !kind.lowercased().hasPrefix("parametrized")
  }
}
