import ByteIO
import CheckpointFormats
import ModuleTree
import TensorCore
import TorchRandom

/// The text form of recipes, as users write them.
extension Recipe {
  /// Parses a recipe file: `model: FILE`, `extra: FILE`, `seed: N`, `order: …`, `dtype: …` and RULE lines.
  ///
  /// `#` begins a comment. `loadModel` reads the file named after `model:`, with the side file named
  /// after `extra:`.
  /// - Throws: `CheckpointError` with the line's number.
  public init(
    text: String, loadModel: (_ file: String, _ extra: String?) throws -> Model
  ) throws {
    var seen: Set<String> = []
    var files: (model: String?, extra: String?)
    for (index, line) in text.trimmedLines.enumerated() {
      let line = line.prefix(while: { $0 != "#" }).trimmingBlanks
      if line.isEmpty { continue }
      func fail(_ message: String) -> CheckpointError {
        CheckpointError(.malformed, "line \(index + 1): \(message)")
      }
      guard let colon = line.firstIndex(of: ":") else {
        throw fail(
          "expected 'key: value' or a rule 'SELECTOR: PARAMETER=INITIALIZER', found '\(line)'")
      }
      let key = line[..<colon].trimmingBlanks
      let value = line[line.index(after: colon)...].trimmingBlanks
      if ["model", "extra", "seed", "order", "dtype"].contains(key), !value.contains("=") {
        guard seen.insert(key).inserted else { throw fail("'\(key)' is given a second time") }
      }
      do {
        switch key {
        case "model" where !value.contains("="): files.model = value
        case "extra" where !value.contains("="): files.extra = value
        case "seed": seed = try Seed(value)
        case "order": order = try Rule.Order(named: value)
        case "dtype": dtype = try Self.floatingPoint(named: value)
        default: rules.append(try Rule(line))
        }
      } catch let error as CheckpointError {
        throw error.path == nil ? fail(error.message) : error
      }
    }
    if let file = files.model {
      model = try loadModel(file, files.extra)
    } else if files.extra != nil {
      throw CheckpointError(.missing, "'extra' needs a 'model' as well")
    }
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
