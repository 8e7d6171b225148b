/// Marking what is guessed in an inferred tree, for people to see.
extension Module {
  /// Printed options that follow from the shapes of tensors or from which tensors there are.
  private static let known: Set<String> = [
    "in_features", "out_features", "kernel_size", "bias", "affine", "elementwise_affine",
    "track_running_stats", "num_layers", "bidirectional", "proj_size",
  ]

  /// The tree with a `?` after each argument that no tensor shows, such as a stride, and after each
  /// class that is one of several with these tensors; only for printing.
  package var markingGuesses: Module {
    Module(
      kind: possibleKinds.count > 1 ? kind + "?" : kind,
      arguments: Self.marked(arguments, positional: undeterminedArguments),
      children: ownChildren.map { child in
        Module.Child(child.name, child.module?.markingGuesses)
      })
  }

  /// Positions of the arguments without a name that depend on more than the tensors.
  private var undeterminedArguments: Set<Int> {
    switch layer {
    case is GroupNorm: [0]
    case let layer as Convolution:
      // The weight's second size is that of one group.
      layer.isTransposed ? (layer.options.bias ? [] : [1]) : [0]
    default: []
    }
  }

  private static func marked(_ arguments: String, positional: Set<Int>) -> String {
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
    return parts.enumerated().map { index, part in
      guard let equals = part.firstIndex(of: "=") else {
        return positional.contains(index) ? part + "?" : part
      }
      let name = part[..<equals].drop { $0 == " " }
      return known.contains(String(name)) ? part : part + "?"
    }.joined(separator: ",")
  }
}
