extension Dictionary {
  /// The pairs by key; of several with one key, the first.
  package init(keepingFirst pairs: some Sequence<(Key, Value)>) {
    self.init(pairs, uniquingKeysWith: { first, _ in first })
  }
}

extension Checkpoint {
  /// The tensors by name; of several with one name, the first.
  package var entriesByName: [TensorName: Entry] {
    Dictionary(keepingFirst: entries.map { ($0.name, $0) })
  }
}
