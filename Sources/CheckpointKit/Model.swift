import ByteIO
public import CheckpointFormats
public import ModuleTree
public import TensorCore

/// What a MODEL argument stands for: a module tree, and the text that it can be read from again.
public struct Model: Sendable {
  /// The tree.
  public let module: Module
  /// The text that PyTorch's `print(model)` shows.
  public let text: String
  /// Lines of a side file that say what the text cannot show; `nil` without one.
  public let extra: String?
  /// The recipe that came with the model, where it was a checkpoint that has one.
  public let recipe: Recipe?

  /// Reads the printed text, or the tree that a checkpoint carries; `-` is standard input.
  ///
  /// - Parameters:
  ///   - path: a file of either kind, told apart by its content.
  ///   - extraPath: a side file, see `--extra`.
  /// - Throws: ``CheckpointError`` with the path in it, and for a text with line and column.
  public init(file path: String, extra extraPath: String? = nil) throws {
    let extra = try extraPath.map(readText)
    if path != "-", let source = try Self.checkpoint(at: path) {
      try self.init(carriedBy: source, path: path, extra: extra)
    } else {
      do {
        try self.init(text: try readText(path), extra: extra)
      } catch let error as CheckpointError {
        throw error.adding(path: path)
      }
    }
  }

  /// Reads a printed text.
  public init(text: String, extra: String? = nil) throws {
    let extras = try extra.map { try Extras($0) } ?? Extras()
    module = try Module(printed: text, extras: extras)
    self.text = module.description
    self.extra = extra
    recipe = nil
  }

  private init(carriedBy source: Checkpoint, path: String, extra: String?) throws {
    let recipe = try source.metadata[Checkpoint.recipeKey].map { try Recipe(json: $0) }
    if let text = recipe?.model {
      let model = try Model(text: text, extra: extra ?? recipe?.extra)
      (module, self.text, self.extra) = (model.module, model.text, model.extra)
    } else if !source.modules.isEmpty {
      let text = try Module(labels: source.modules).description
      let model = try Model(text: text, extra: extra)
      (module, self.text, self.extra) = (model.module, model.text, model.extra)
    } else {
      throw CheckpointError(
        .missing, "carries no module tree, required one; give the text of print(model) instead",
        path: path)
    }
    self.recipe = recipe
  }

  private static func checkpoint(at path: String) throws -> Checkpoint? {
    let file = try InputFile(path: path)
    let head = try file.head(min(file.size, CheckpointFormat.headSize))
    guard CheckpointFormat.recognized(from: head) != nil else { return nil }
    return try CheckpointSource.open(path).checkpoint
  }
}
