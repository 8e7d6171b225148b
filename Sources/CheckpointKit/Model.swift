import ByteIO
import CheckpointFormats
public import ModuleTree
import TensorCore

/// What a MODEL argument names: a module tree, and the text from which it can be parsed again.
public struct Model: Sendable {
  /// The module tree, as the side file completes it.
  public let module: Module
  /// The description that was read; `nil` for a model that PyTorch's `print(model)` shows in full.
  private let description: String?
  /// Lines of a side file that say what the text cannot show; `nil` without one.
  package let extra: String?

  /// Whether it is a model description, which lists what the model's own constructor draws.
  package var isDescribed: Bool { description != nil }

  /// The text that PyTorch's `print(model)` shows, or a model description.
  public var text: String { description ?? module.description }

  /// Whether it was read from printed text, which does not show everything.
  package let isPrinted: Bool

  init(_ module: Module) {
    isPrinted = false
    self.module = module
    description = nil
    extra = nil
  }

  /// Reads the printed text, the model description, or the tree that a checkpoint carries; `-` is standard input.
  ///
  /// - Parameters:
  ///   - path: a file of either kind, told apart by its content.
  ///   - extraPath: a side file, see `--extra`.
  /// - Throws: `CheckpointError` with the path in it, and for a text with line and column.
  public init(file path: String, extra extraPath: String? = nil) throws {
    try self.init(.argument(path), extra: extraPath.map(FileProbe.argument))
  }

  /// Reads a file, and a side file, that were opened to be recognized.
  init(_ probe: FileProbe, extra: FileProbe?) throws {
    switch try Content(probe, extra: extra) {
    case .model(let model), .checkpoint(_, carrying: let model?): self = model
    case .checkpoint(let checkpoint, carrying: nil):
      let state =
        checkpoint.hasPickledModules ? "its module tree is not read" : "has no module tree"
      throw CheckpointError(
        .missing, "\(state); give the text of print(model) instead", path: probe.path)
    }
  }

  /// What a file that may be a model holds.
  package enum Content: Sendable {
    /// A printed text.
    case model(Model)
    /// A checkpoint, and the tree that it carries, if it does.
    case checkpoint(Checkpoint, carrying: Model?)

    /// Reads a file, told apart by its content; `-` is standard input.
    public init(file path: String, extra extraPath: String? = nil) throws {
      try self.init(.argument(path), extra: extraPath.map(FileProbe.argument))
    }

    init(_ probe: FileProbe, extra: FileProbe?) throws {
      let (text, extraPath) = (try extra?.text(), extra?.path)
      do {
        guard CheckpointFormat.recognized(probe) != nil else {
          do {
            self = .model(try Model(text: try probe.text(), extra: text, extraPath: extraPath))
          } catch let error as CheckpointError where error.path == nil || error.path == probe.path {
            throw KnownFile.error(forModel: probe) ?? error
          }
          return
        }
        let checkpoint = try CheckpointSource.open(
          probe, options: OpenOptions(readsValues: false)
        ).checkpoint
        self = .checkpoint(
          checkpoint, carrying: try Model(carriedBy: checkpoint, extra: text, extraPath: extraPath))
      } catch let error as CheckpointError {
        throw error.adding(path: probe.path)
      }
    }
  }

  /// Reads a printed text or a model description.
  ///
  /// `extraPath` is the side file that errors of `extra` name.
  package init(text: String, extra: String? = nil, extraPath: String? = nil) throws {
    let sideFile = try extra.map { try SideFile($0, path: extraPath) } ?? SideFile()
    if Module.isDescription(text), !Module.isNotebook(text) {
      module = try Module(json: text, sideFile: sideFile)
      description = text
      isPrinted = false
    } else {
      module = try Module(printed: text, sideFile: sideFile)
      description = nil
      isPrinted = true
    }
    self.extra = extra
  }

  private init?(carriedBy source: Checkpoint, extra: String?, extraPath: String?) throws {
    let carried: Model
    if let model = try source.recipe()?.model {
      carried = model
    } else if try !source.modules.isEmpty || KerasTree(source)?.isInferred == false {
      // With all tensors of the file, also those that labels do not show.
      carried = try source.tree().tiedModel()
    } else {
      return nil
    }
    self =
      try extra.map { try Model(text: carried.text, extra: $0, extraPath: extraPath) } ?? carried
  }
}
