import JSONText
import TensorCore

/// What a model's description (Keras's `config.json` or `model_config`) says of its layers.
///
/// It is read as data: of every object with a `class_name` and a `config` the class, the name and a
/// few options are noted. Nothing in it is looked up, imported or run.
struct KerasDescription {
  /// What of a layer's configuration matters to its tensors.
  struct Options: Equatable {
    var scale: Bool?
    var center: Bool?
    var resetAfter: Bool?
  }

  /// Class and options of a layer.
  struct Layer: Equatable {
    let kind: String
    let options: Options
  }

  /// Layers by name; two layers of one name that differ are not there.
  private(set) var layers: [TensorName: Layer] = [:]
  private var ambiguous: Set<TensorName> = []

  /// An empty description.
  init() {}

  /// Reads a description; one that is not JSON is ignored.
  init(_ text: String) {
    var scanner = JSONScanner(Array(text.utf8), maxDepth: 128)
    try? visit(&scanner)
  }

  private mutating func visit(_ scanner: inout JSONScanner) throws(CheckpointError) {
    switch scanner.next() {
    case .array: try scanner.array { scanner throws(CheckpointError) in try visit(&scanner) }
    case .object:
      var kind: String?
      var (name, options): (String?, Options) = (nil, Options())
      try scanner.object { scanner, key, _ throws(CheckpointError) in
        switch (key, scanner.next()) {
        case ("class_name", .string): kind = try scanner.string()
        case ("config", .object): (name, options) = try configuration(&scanner)
        default: try visit(&scanner)
        }
      }
      if let kind, let name { add(Layer(kind: kind, options: options), TensorName(name)) }
    default: try scanner.skip()
    }
  }

  private mutating func configuration(
    _ scanner: inout JSONScanner
  ) throws(CheckpointError) -> (String?, Options) {
    var (name, options): (String?, Options) = (nil, Options())
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch (key, scanner.next()) {
      case ("name", .string): name = try scanner.string()
      case ("scale", .bool): options.scale = try scanner.bool()
      case ("center", .bool): options.center = try scanner.bool()
      case ("reset_after", .bool): options.resetAfter = try scanner.bool()
      default: try visit(&scanner)
      }
    }
    return (name, options)
  }

  private mutating func add(_ layer: Layer, _ name: TensorName) {
    if let other = layers[name], other != layer { ambiguous.insert(name) }
    layers[name] = ambiguous.contains(name) ? nil : layer
  }
}
