/// `ParameterList` or `ParameterDict`: bare parameters, whose initial values no text shows.
///
/// Each is printed on a line of its own, two spaces deeper than a child:
/// `  (0): Parameter containing: [torch.float32 of size 2x3]`; a scalar's size is empty.
/// Source: PyTorch 2.15 `torch/nn/modules/container.py`.
package struct ParameterCollection: Layer {
  package let kind: String
  package let arguments: String
  package let parameters: [Parameter]
}

extension ParameterCollection: PrintedLayer {
  package static let classes: [String: [String]] = ["ParameterList": [], "ParameterDict": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.children.isEmpty
      && (printed.arguments.text.isEmpty
        || printed.arguments.text.utf8.contains { $0 == UInt8(ascii: ":") })
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    kind = printed.kind
    arguments = printed.arguments.text
    var parameters: [Parameter] = []
    var offset = 0
    for line in arguments.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    {
      guard let parameter = Self.parameter(Array(line)) else {
        throw ArgumentError(
          offset: offset,
          message: """
            expected '  (key): Parameter containing: [torch.float32 of size 2x3]' in \(kind), \
            found '\(String(line) ?? "")'
            """)
      }
      parameters.append(parameter)
      offset += line.count + 1
    }
    self.parameters = parameters
  }

  /// Maximum length of a line, in bytes: expressions take quadratic time.
  private static let maxLineLength = 4096

  private static func parameter(_ line: [UInt8]) -> Parameter? {
    guard line.count <= maxLineLength else { return nil }
    let text = String(decoding: line.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
    guard let key = text.prefixMatch(of: /\(([^).]+)\): Parameter containing: \[torch\./),
      let size = text.firstMatch(of: /\ of size ([0-9x]*)( \(.*\))?\]$/)
    else { return nil }
    var shape: [Int] = []
    for part in size.output.1.split(separator: "x") {
      guard let number = Int(part), number <= PrintedArguments.maxSize, shape.count < 64 else {
        return nil
      }
      shape.append(number)
    }
    return Parameter(String(key.output.1), shape: shape)
  }
}
