import TensorCore

/// The classes and functions that a pickle names, each once.
struct PickleNames {
  /// In the order in which they are named first.
  private(set) var globals: [Pickle.Global] = []
  private var places: [Name: Int] = [:]

  private struct Name: Hashable {
    let module: TensorName
    let name: TensorName
  }

  /// The place of a name among ``globals``; `offset` is where the pickle names it.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for more names than any checkpoint has.
  mutating func place(
    of module: String, _ name: String, at offset: Int
  ) throws(CheckpointError) -> Int {
    let key = Name(module: TensorName(module), name: TensorName(name))
    if let known = places[key] { return known }
    guard globals.count < Pickle.maxGlobals else {
      throw CheckpointError(
        .unsupported, "a pickle that names more than \(Pickle.maxGlobals) classes and functions")
    }
    places[key] = globals.count
    globals.append(Pickle.Global(module: module, name: name, offset: offset))
    return globals.count - 1
  }
}
