internal import TensorCore

/// A model of transformers, a class that derives from `PreTrainedModel`, as the table lists it:
/// `ForMaskedLM(bert cls; cls.predictions.bias=…; std=0.01)`, what follows the family's name, the
/// children that it always has, ties, and the standard deviation where it is not 0.02; `untied`
/// stands for ties that only another `tie_word_embeddings` makes.
///
/// Its constructor ends with `post_init()`: `initialize_weights` goes through its modules as
/// `apply` does, passes by those that a model inside has filled in its own constructor, and calls
/// `_init_weights` with each; ties follow. All of that comes after the layers' own draws.
///
/// Source: transformers 5.24 `modeling_utils.py`, class `PreTrainedModel`.
struct PreTrainedModel: Sendable {
  /// Class name.
  let kind: String
  /// What comes before `PreTrainedModel` in the name of the class that `_init_weights` is from.
  let family: String
  let children: String
  let ties: [(name: String, kept: String)]
  /// Default of `tie_word_embeddings`; `nil` where it does not matter.
  let isTied: Bool?
  /// `initializer_range`, or what stands for it in the configuration.
  let deviation: Double

  /// All models whose constructors are known.
  static let all: [PreTrainedModel] = [familiesA, familiesB, familiesC].flatMap(models)

  /// Reads a table: the names of one or more families and a colon, then the models of each, a name
  /// and what is in parentheses after it.
  ///
  /// The text is ASCII, and taken apart as bytes: it is read whenever a model is.
  private static func models(_ table: String) -> [PreTrainedModel] {
    var families: [String] = []
    return table.utf8.split(separator: UInt8(ascii: ")")).flatMap { entry -> [PreTrainedModel] in
      let parts = entry.split(separator: UInt8(ascii: "("), maxSplits: 1)
      guard parts.count == 2 else { return [] }
      let head = parts[0].split(
        separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
      if head.count == 2 {
        families = head[0].split(whereSeparator: isBlank).map(word)
        if families.isEmpty { families = [""] }
      }
      let name = word(head[head.count - 1])
      var (children, ties, deviation) = ("", [(name: String, kept: String)](), 0.02)
      var isUntied = false
      let sections = parts[1].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
      for (index, section) in sections.enumerated() {
        if index == 0 {
          children = section.split(whereSeparator: isBlank).map(word).joined(separator: " ")
          continue
        }
        for item in section.split(separator: UInt8(ascii: ",")) {
          let sides = item.split(separator: UInt8(ascii: "=")).map(word)
          guard sides.count == 2 else {
            isUntied = true
            continue
          }
          if sides[0] == "std" {
            deviation = Double(sides[1]) ?? deviation
          } else {
            ties.append((sides[0], sides[1]))
          }
        }
      }
      let isTied = isUntied ? false : ties.isEmpty ? nil : true
      return families.map { family in
        PreTrainedModel(
          kind: name.hasPrefix("=") ? String(name.dropFirst()) : family + name, family: family,
          children: children, ties: ties, isTied: isTied, deviation: deviation)
      }
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n")
  }

  private static func word(_ bytes: Substring.UTF8View) -> String {
    String(decoding: bytes.filter { !isBlank($0) }, as: UTF8.self)
  }

  /// What is known of its constructor.
  var libraryClass: LibraryClass {
    var found = LibraryClass(kind, children)
    found.fillsOnce = true
    let ties = ties
    found.ties = { _ in ties }
    let (family, deviation) = (family, deviation)
    found.applied = { node, root in
      let weights = InitialWeights(
        node: node, root: root, family: family, deviation: deviation)
      return weights.steps
    }
    var options = ["initializer_range \(deviation)"]
    if let isTied { options.append("tie_word_embeddings \(isTied)") }
    found.configuration = options.joined(separator: ", ")
    return found
  }
}
