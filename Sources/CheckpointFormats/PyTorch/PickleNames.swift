import TensorCore

/// The classes and functions that a pickle names, each once.
struct PickleNames {
  /// In the order of their first use.
  private(set) var globals: [Pickle.Global] = []
  private var indices: [Name: Int] = [:]

  /// Maximum length of a name with its module, in bytes; names are compared again and again.
  private static let maxLength = 1024
  /// What looking up a name is charged, in bytes of memory: a pickle may do so with every few bytes.
  static let lookupCost = 64

  /// Refuses a name longer than any of Python's.
  static func check(_ length: Int) throws(CheckpointError) {
    guard length <= maxLength else {
      throw CheckpointError(
        .unsupported,
        "expected a class or function name of at most \(maxLength) bytes, found \(length)")
    }
  }

  private struct Name: Hashable {
    let module: TensorName
    let name: TensorName
  }

  /// The index of a name in ``globals``; `offset` is that of the opcode.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for more than ``Pickle/maxGlobals`` names.
  mutating func index(
    of module: String, _ name: String, at offset: Int
  ) throws(CheckpointError) -> Int {
    try Self.check(module.utf8.count + name.utf8.count)
    let key = Name(module: TensorName(module), name: TensorName(name))
    if let known = indices[key] { return known }
    guard globals.count < Pickle.maxGlobals else {
      throw CheckpointError(
        .unsupported, "the pickle names more than \(Pickle.maxGlobals) classes and functions")
    }
    indices[key] = globals.count
    globals.append(Pickle.Global(module: module, name: name, offset: offset))
    return globals.count - 1
  }
}
