/// Marking what is guessed in an inferred tree, for people to see.
extension Module {
  /// Printed options that follow from the shapes of tensors or from which tensors there are.
  private static let known: Set<String> = [
    "in_features", "out_features", "kernel_size", "bias", "affine", "elementwise_affine",
    "track_running_stats", "num_layers", "bidirectional", "proj_size",
  ]

  /// The tree with a `?` after each argument that no tensor shows, such as a stride, and after each
  /// class that is one of several possible ones; only for printing.
  package var markingGuesses: Module {
    let isAmbiguous = layer != nil && ownParameters.contains { $0.reason != nil }
    return Module(
      kind: isAmbiguous ? kind + "?" : kind, arguments: Self.marked(arguments),
      children: ownChildren.map { child in
        Module.Child(child.name, child.module?.markingGuesses)
      })
  }

  private static func marked(_ arguments: String) -> String {
    var (depth, part) = (0, "")
    var parts: [String] = []
    for character in arguments {
      switch character {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      default: break
      }
      if character == ",", depth == 0 {
        parts.append(part)
        part = ""
      } else {
        part.append(character)
      }
    }
    parts.append(part)
    return parts.map { part in
      guard let equals = part.firstIndex(of: "=") else { return part }
      let name = part[..<equals].drop { $0 == " " }
      return known.contains(String(name)) ? part : part + "?"
    }.joined(separator: ",")
  }
}
