import JSONText
import TensorCore

/// What a model's description (Keras's `config.json` or `model_config`) says of its layers.
///
/// It is read as data: of every object with a `class_name` and a `config` the class, the name, and
/// what the configuration says in plain values are noted. Nothing in it is looked up, imported or run.
/// Sources: Keras 3.15 `saving/serialization_lib.py`; Keras 2.2 and 1.2, in which the `config` of a
/// Sequential is the list of its layers.
struct KerasDescription {
  /// What of a layer's configuration matters to the names and places of its tensors.
  struct Options: Equatable {
    var scale: Bool?
    var center: Bool?
    var resetAfter: Bool?
    var unitForgetBias: Bool?
    var equation: String?
    /// Mode of a quantized layer, `int8`; source: Keras 3.15 `dtype_policies/dtype_policy.py`.
    var quantization: String?
  }

  /// One layer, which may hold others.
  struct Layer {
    /// Class, without the package that a class of one's own is registered in.
    var kind: String?
    /// What its user calls it.
    var name: String?
    /// Index of the layer that it is part of; `nil` for the model itself.
    let parent: Int?
    /// Key of the parent's configuration under which it stands: `layers`, `cell`.
    let role: String
    var options = Options()
    /// Plain values of the configuration, `units=4, use_bias=True`.
    var arguments = KerasArguments()
    /// Keras's initializers by the first part of their keys: `kernel` of `kernel_initializer`.
    var initializers: [String: KerasInitializer] = [:]
  }

  /// Keys of the metadata under which a description is found.
  static let keys = ["config.json", "model_config"]

  /// All layers, each before those inside it, the model first; empty if the text describes none.
  private(set) var layers: [Layer] = []

  /// Deepest nesting of the text: each model inside another takes four levels.
  private static let maxDepth = 128

  /// The description in a checkpoint's metadata; `nil` if it has none that Keras could have written.
  ///
  /// - Throws: `CheckpointError` when a text that seems to be Keras's cannot be read, or describes more
  ///   layers than the budget allows.
  init?(of checkpoint: Checkpoint) throws(CheckpointError) {
    let metadata = checkpoint.metadata
    for key in Self.keys {
      guard let text = metadata[key], text.utf8.contains("class_name".utf8) else { continue }
      try self.init(text, named: key)
      if !layers.isEmpty { return }
    }
    return nil
  }

  /// Reads a description; `name` is what errors call it.
  init(_ text: String, named name: String = "config.json") throws(CheckpointError) {
    var scanner = JSONScanner(
      Array(text.utf8), offsets: .text(name), maxDepth: Self.maxDepth)
    guard scanner.next() == .object else { return }
    try visit(&scanner, parent: nil, role: "")
    try scanner.end()
  }

  /// Takes an object, and adds the layer that it describes, if it does.
  private mutating func visit(
    _ scanner: inout JSONScanner, parent: Int?, role: String
  ) throws(CheckpointError) {
    let index = layers.count
    guard index < Budget.current.maxModules else {
      throw CheckpointError(
        .unsupported,
        "expected at most \(Budget.current.maxModules) layers in the model's description, found more"
      )
    }
    layers.append(Layer(parent: parent, role: role))
    var isConfigured = false
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch (key, scanner.next()) {
      case ("class_name", .string): layers[index].kind = Self.bareName(try scanner.string())
      case ("name", .string):
        let name = try scanner.string()
        layers[index].name = layers[index].name ?? name
      case ("config", .object):
        isConfigured = true
        try configuration(&scanner, of: index)
      case ("config", .array):
        isConfigured = true
        try elements(&scanner, of: index, role: "layers")
      default: try scanner.skip()
      }
    }
    // An object of another kind, such as a tensor or a type.
    if layers[index].kind == nil || !isConfigured { layers.removeSubrange(index...) }
  }

  private mutating func configuration(
    _ scanner: inout JSONScanner, of index: Int
  ) throws(CheckpointError) {
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch (key, scanner.next()) {
      case ("name", .string): layers[index].name = try scanner.string()
      case ("dtype", .object): layers[index].options.quantization = try Self.mode(&scanner)
      case ("dtype", .string):
        let text = try scanner.string()
        if let range = text.ranges(of: "_from_").first {
          layers[index].options.quantization = String(text[..<range.lowerBound])
        }
      case ("trainable", _), ("dtype", _), ("activation", .object), ("build_config", _),
        ("input_layers", _), ("output_layers", _), ("build_input_shape", _), ("function", _),
        ("quantization_config", _):
        try scanner.skip()
      case (_, .object) where key.hasSuffix("_initializer"),
        (_, .string) where Self.isInitializer(key):
        let initializer = try KerasInitializer(&scanner)
        layers[index].initializers[Self.variable(of: key)] = initializer
        layers[index].arguments.add(key, initializer.text)
      case (_, .object) where key.hasSuffix("_regularizer") || key.hasSuffix("_constraint"):
        layers[index].arguments.add(key, try KerasInitializer(&scanner).name)
      case (_, .object): try visit(&scanner, parent: index, role: key)
      case (_, .array): try elements(&scanner, of: index, role: key)
      case (_, .string):
        let text = try scanner.string()
        if key == "equation" { layers[index].options.equation = text }
        layers[index].arguments.add(key, quoting: text)
      case (_, .bool):
        let value = try scanner.bool()
        switch key {
        case "scale": layers[index].options.scale = value
        case "center": layers[index].options.center = value
        case "reset_after": layers[index].options.resetAfter = value
        case "unit_forget_bias": layers[index].options.unitForgetBias = value
        default: break
        }
        layers[index].arguments.add(key, value ? "True" : "False")
      case (_, .number): layers[index].arguments.add(key, try scanner.number())
      case (_, .null): try scanner.skip()
      }
    }
  }

  /// The mode of a type that quantizes; `nil` for any other.
  private static func mode(_ scanner: inout JSONScanner) throws(CheckpointError) -> String? {
    var (kind, mode): (String?, String?) = (nil, nil)
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch (key, scanner.next()) {
      case ("class_name", .string): kind = try scanner.string()
      case ("config", .object):
        try scanner.object { scanner, key, _ throws(CheckpointError) in
          guard key == "mode", scanner.next() == .string else { return try scanner.skip() }
          mode = try scanner.string()
        }
      default: try scanner.skip()
      }
    }
    return kind?.hasPrefix("Quantized") == true ? mode ?? "an unknown mode" : nil
  }

  /// Takes a list: of layers, or of numbers, which are an argument.
  private mutating func elements(
    _ scanner: inout JSONScanner, of index: Int, role: String
  ) throws(CheckpointError) {
    var numbers: [String]? = []
    try scanner.array { scanner throws(CheckpointError) in
      let kind = scanner.next()
      switch kind {
      case .object:
        numbers = nil
        try visit(&scanner, parent: index, role: role)
      case .number, .null:
        let text = kind == .null ? "None" : try scanner.number()
        if kind == .null { try scanner.skip() }
        if (numbers?.count ?? KerasArguments.maxNumbers) < KerasArguments.maxNumbers {
          numbers?.append(text)
        } else {
          numbers = nil
        }
      default:
        numbers = nil
        try scanner.skip()
      }
    }
    if let numbers, !numbers.isEmpty {
      let comma = numbers.count == 1 ? "," : ""
      layers[index].arguments.add(role, "(\(numbers.joined(separator: ", "))\(comma))")
    }
  }

  /// A class without the package it is registered in: `Block` of `my>Block`.
  static func bareName(_ kind: String) -> String {
    let parts = kind.utf8.split(separator: UInt8(ascii: ">"))
    return parts.last.map { String(Substring($0)) } ?? kind
  }

  /// Whether a text under this key names an initializer; Keras 1 calls them `init` and `inner_init`.
  private static func isInitializer(_ key: String) -> Bool {
    key.hasSuffix("_initializer") || key == "init" || key.hasSuffix("_init")
  }

  private static func variable(of key: String) -> String {
    switch key {
    case "init": "W"
    case "inner_init": "U"
    default:
      key.hasSuffix("_init") ? String(key.dropLast(5)) : String(key.dropLast("_initializer".count))
    }
  }
}
