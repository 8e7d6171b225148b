/// A path with wildcards in a side file: `*` and `?` within one component, `[34]` one of some
/// characters, `**` any number of whole components.
///
/// It names modules, not what is inside them: `blocks.*` is every block, and no layer of one.
/// Selectors use ``Glob`` instead, whose `*` crosses dots.
/// Takes time in the order of the product of both lengths, whatever the pattern.
package struct NamePattern: Sendable, Hashable {
  /// The pattern as it was written.
  package let text: String
  private let components: [Component]

  private enum Component: Hashable {
    case any
    case glob(Glob)
  }

  /// Takes the pattern as it is; every text is one.
  package init(_ text: String) {
    self.text = text
    components = text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false).map {
      $0.elementsEqual("**".unicodeScalars) ? .any : .glob(Glob(Array($0)))
    }
  }

  /// Whether the text has a character with a special meaning.
  package static func isPattern(_ text: String) -> Bool {
    text.unicodeScalars.contains { "*?[".unicodeScalars.contains($0) }
  }

  /// Whether the whole name fits.
  package func matches(_ name: String) -> Bool {
    if name.isEmpty { return false }
    let parts = name.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false)
      .map { Array($0) }
    // reached[n]: the pattern so far fits the first n parts of the name.
    var reached = [Bool](repeating: false, count: parts.count + 1)
    reached[0] = true
    for (index, component) in components.enumerated() {
      var next = [Bool](repeating: false, count: parts.count + 1)
      switch component {
      case .any:
        // At the end `**` takes one part or more, so that `layer2.**` is not `layer2`; elsewhere
        // none or more.
        let isLast = index == components.count - 1
        var seen = false
        for position in reached.indices {
          next[position] = seen || (reached[position] && !isLast)
          seen = seen || reached[position]
        }
      case .glob(let glob):
        for position in parts.indices where reached[position] {
          next[position + 1] = glob.matches(parts[position])
        }
      }
      reached = next
    }
    return reached[parts.count]
  }
}
