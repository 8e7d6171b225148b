import TensorCore

/// The text that PyTorch's `print(model)` shows, and the tree that it means.
///
/// `Name()`, `Name(arguments)`, or `Name(`, then the arguments' lines, then the children,
/// `(key): ` and a module, then `)`. `(0-11): 12 x Block(` stands for twelve equal ones.
/// Parentheses decide; indentation may be of any width, but must agree with them.
///
/// Source: PyTorch 2.15 `Module.__repr__`, `ModuleList.__repr__`.
enum PrintedModel {
  /// Deepest nesting that is read.
  static let maxDepth = 1_000
}

extension Module {
  /// Whether a text is a Jupyter notebook, of which ``init(printed:sideFile:)`` reads an output.
  package static func isNotebook(_ text: String) -> Bool { PastedNotebook.isNotebook(text) }

  /// Reads the text that `print(model)` shows, as it was pasted; `sideFile` says what the text
  /// cannot.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, the line, the column, what was found
  ///   there and what was expected; or `missing` when `sideFile` names what is not there.
  public init(printed text: String, sideFile: SideFile = SideFile()) throws {
    let notebook = try PastedNotebook(text)
    do {
      let pasted = PastedText.characters(of: notebook?.output ?? text)
        .withoutLinePrefixes().withoutComments().withoutWraps()
      var parser = PrintedModelParser(pasted, sideFile: sideFile)
      self = try sideFile.applied(to: try parser.model()).completed()
    } catch let error as CheckpointError {
      guard let notebook else { throw error }
      throw CheckpointError(error.code, "\(notebook.place), \(error.message)")
    }
  }
}
