import TensorCore

/// A model as JSON: everything that its tensors' initial values depend on, see the article
/// *The model description*.
enum ModelDescription {
  /// Version of the schema that is read and written.
  static let version = 1
  /// Deepest nesting of lists and objects.
  static let maxDepth = 16

  static let keys: Set = ["ckpt-model", "about", "modules", "draws"]
  static let moduleKeys: Set = [
    "path", "class", "base", "is", "arguments", "parameters", "buffers",
  ]
  static let parameterKeys: Set = ["name", "shape", "dtype", "rule", "data", "reason", "is"]
  static let bufferKeys: Set = [
    "name", "shape", "dtype", "rule", "data", "reason", "persistent",
  ]
  static let drawKeys: Set = [
    "fill", "rule", "data", "elements", "part", "discard", "dtype", "advance", "change", "by",
    "cast", "copy", "norms", "dimension", "normalize", "to", "powers", "u", "v", "rows", "scratch",
    "shape", "set", "from", "sizes", "target", "source", "indices", "apply", "combine", "with",
    "seed", "save", "restore",
  ]
}

extension Module {
  /// Whether a text is meant to be a description: its first character other than whitespace is `{`,
  /// and it is neither a printed `{'net': Net(…)}` nor a log's `{"msg": "Net(\\n…"}`.
  package static func isDescription(_ text: String) -> Bool {
    let rest = text.utf8.drop(while: \.isSpace)
    guard rest.first == UInt8(ascii: "{"),
      rest.dropFirst().first(where: { $0 != 0x20 }) != UInt8(ascii: "'")
    else { return false }
    let bytes = Array(rest)
    return bytes.holds("\"ckpt-model\"") || !bytes.holds("(\\n")
  }

  /// Reads a model description; `sideFile` adds to it as to a printed text.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, line and column, what was found there
  ///   and what was expected; `unsupported` for another version of the schema.
  public init(json text: String, sideFile: SideFile = SideFile()) throws {
    var reader = try ModelDescriptionReader(text)
    self = try sideFile.applied(to: try reader.model())
  }

  /// The model description, with one module and one draw per line.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when the tree names two tensors alike.
  public func json() throws -> String {
    try ModelDescriptionWriter(self).text()
  }
}
