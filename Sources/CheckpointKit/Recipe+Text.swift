import ByteIO
import CheckpointFormats
import ModuleTree
import TensorCore
import TorchRandom

/// The text form of recipes, as users write them.
extension Recipe {
  /// Parses a recipe file, one statement per line; see the article *Recipes*.
  ///
  /// `#` begins a comment. `loadModel` reads the file named after `model:` or `construct`, with the side
  /// file named after `extra:`.
  /// - Throws: `CheckpointError` with the line's number.
  public init(
    text: String, loadModel: (_ file: String, _ extra: String?) throws -> Model
  ) throws {
    var reader = RecipeReader()
    for (index, line) in text.trimmedLines.enumerated() {
      let line = line.prefix(while: { $0 != "#" }).trimmingBlanks
      if line.isEmpty { continue }
      do {
        try reader.read(line)
      } catch let error as CheckpointError {
        throw error.path == nil
          ? CheckpointError(error.code, "line \(index + 1): \(error.message)") : error
      }
    }
    self = try reader.recipe(loadModel: loadModel)
  }

  /// Reads a recipe file, or the recipe that a checkpoint carries.
  ///
  /// A path of `-` is standard input. Names in a recipe file are relative to its folder.
  public init(file path: String) throws {
    let probe = try FileProbe.argument(path)
    do {
      guard CheckpointFormat.recognized(probe) == nil else {
        guard
          let recipe = try CheckpointSource.open(
            probe, options: OpenOptions(readsValues: false)
          ).checkpoint.recipe()
        else {
          throw CheckpointError(.missing, "has no recipe")
        }
        self = recipe
        return
      }
      self = try Recipe(text: try probe.text()) { model, extra in
        func resolved(_ text: String) throws -> FileProbe {
          let (place, name) = probe.place.locate(text)
          return try FileProbe(name, in: place)
        }
        return try Model(resolved(model), extra: extra.map(resolved))
      }
    } catch let error as CheckpointError {
      throw error.adding(path: probe.path)
    }
  }
}
