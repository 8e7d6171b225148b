import JSONText
import TensorCore

/// A Jupyter notebook, of which the output that holds a printed model is read.
///
/// Source: nbformat 4: `cells[].outputs[]`, of which streams have `text` and results
/// `data["text/plain"]`, each a string or a list of them; nbformat 3: `worksheets[].cells[]`, and all
/// outputs have `text`. A model in a text cell's `source` counts where no output holds one.
struct PastedNotebook {
  /// The text of the output.
  let output: String
  /// Where it is, for errors.
  let place: String

  /// Finds the output; `nil` if the text is not a notebook.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed` if no output holds a model, or several do.
  init?(_ text: String) throws(CheckpointError) {
    guard Self.isNotebook(text) else { return nil }
    let notebook = try JSONValue(text)
    let sheets = notebook["worksheets"]?.elements ?? [notebook]
    let cells = sheets.flatMap { $0["cells"]?.elements ?? [] }
    var found = Self.models(in: cells, Self.outputs(of:))
    if found.isEmpty { found = Self.models(in: cells, Self.source(of:)) }
    guard let first = found.first else {
      throw CheckpointError(
        .malformed,
        "expected a notebook with the output of print(model), found none in "
          + (cells.count == 1 ? "1 cell" : "\(cells.count) cells"))
    }
    guard found.count == 1 else {
      let list = found.prefix(8).map { String($0.cell) }.joined(separator: ", ")
      throw CheckpointError(
        .malformed,
        "expected one printed model, found \(found.count) in the notebook's cells \(list); "
          + "copy one of them into a file")
    }
    output = first.output
    place = "cell \(first.cell)"
  }

  /// The texts of cells that hold a model.
  private static func models(
    in cells: [JSONValue], _ texts: (JSONValue) -> [String]
  ) -> [(output: String, cell: Int)] {
    cells.enumerated().flatMap { index, cell in
      texts(cell).filter { PastedText.characters(of: $0).withoutLinePrefixes().holdsModel }
        .map { ($0, index + 1) }
    }
  }

  /// A cell's results, and what it wrote to each stream: what went to another one may divide it.
  private static func outputs(of cell: JSONValue) -> [String] {
    var texts: [String] = []
    var streams: [String: Int] = [:]
    for output in cell["outputs"]?.elements ?? [] {
      guard let text = output["text"] ?? output["data"]?["text/plain"] else {
        continue
      }
      guard output["output_type"]?.joined == "stream" else {
        texts.append(text.joined)
        continue
      }
      let name = (output["name"] ?? output["stream"])?.joined ?? ""
      if let index = streams[name] {
        texts[index] += text.joined
      } else {
        streams[name] = texts.count
        texts.append(text.joined)
      }
    }
    return texts
  }

  private static func source(of cell: JSONValue) -> [String] {
    guard cell["cell_type"]?.joined != "code" else { return [] }
    return cell["source"].map { [$0.joined] } ?? []
  }

  /// Whether a text is a notebook, by its first keys.
  static func isNotebook(_ text: String) -> Bool {
    guard text.utf8.first(where: { !$0.isSpace }) == UInt8(ascii: "{")
    else { return false }
    let bytes = Array(text.utf8)
    return bytes.holds("\"nbformat\"") && bytes.holds("\"cells\"")
  }
}

extension JSONValue {
  /// The text of a string, or of a list of strings.
  fileprivate var joined: String {
    switch content {
    case .string(let text): text
    case .array(let values): values.map(\.joined).joined()
    default: ""
    }
  }
}
