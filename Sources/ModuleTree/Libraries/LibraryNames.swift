/// Names of a library's classes whose constructors are not in its table.
struct LibraryNames: Sendable {
  /// Classes of whole models; of transformers, what comes before `PreTrainedModel`.
  private let models: Set<String>
  /// Classes that own, or with some options own, tensors that printed text does not show.
  let owners: Set<String>

  init(models: String, owners: String) {
    self.models = Set(models.split(whereSeparator: \.isWhitespace).map(String.init))
    self.owners = Set(owners.split(whereSeparator: \.isWhitespace).map(String.init))
  }

  /// Whether a class of this name is a model of the library.
  func isModel(_ kind: String) -> Bool {
    if models.contains(kind) { return true }
    // `BertForMaskedLM`, `BertModel`, and `BertLMHeadModel` derive from `BertPreTrainedModel`.
    for end in ["Model", "LMHeadModel", "DoubleHeadsModel"] where kind.hasSuffix(end) {
      if models.contains(String(kind.dropLast(end.count))) { return true }
    }
    guard let middle = kind.firstRange(of: "For") else { return false }
    return models.contains(String(kind[..<middle.lowerBound]))
  }
}
