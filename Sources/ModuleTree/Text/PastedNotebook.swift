import JSONText
import TensorCore

/// A Jupyter notebook, of which the output that holds a printed model is read.
///
/// Source: nbformat 4: `cells[].outputs[]`, of which streams have `text` and results
/// `data["text/plain"]`, each a string or a list of them.
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
    let cells = try JSONValue(text).member("cells")?.elements ?? []
    var found: [(output: String, cell: Int)] = []
    for (index, cell) in cells.enumerated() {
      for output in cell.member("outputs")?.elements ?? [] {
        let plain = output.member("text") ?? output.member("data")?.member("text/plain")
        guard let plain else { continue }
        let text = plain.joined
        if PastedText.characters(of: text).withoutLinePrefixes().holdsModel {
          found.append((text, index + 1))
        }
      }
    }
    guard let first = found.first else {
      throw CheckpointError(
        .malformed,
        "expected a notebook with the output of print(model), found none in \(cells.count) cells")
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

  /// Whether a text is a notebook, by its first keys.
  static func isNotebook(_ text: String) -> Bool {
    guard text.utf8.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) == UInt8(ascii: "{")
    else { return false }
    let bytes = Array(text.utf8)
    return bytes.holds("\"nbformat\"") && bytes.holds("\"cells\"")
  }
}

extension JSONValue {
  fileprivate var elements: [JSONValue]? {
    guard case .array(let values) = content else { return nil }
    return values
  }

  fileprivate func member(_ key: String) -> JSONValue? {
    guard case .object(let members) = content else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The text of a string, or of a list of strings.
  fileprivate var joined: String {
    switch content {
    case .string(let text): text
    case .array(let values): values.map(\.joined).joined()
    default: ""
    }
  }
}
