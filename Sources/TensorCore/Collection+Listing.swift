extension Collection where Element: StringProtocol {
  /// The first `count` texts, divided by commas, and how many more there are.
  package func listed(upTo count: Int) -> String {
    let shown = prefix(count).joined(separator: ", ")
    return self.count > count ? "\(shown) and \(self.count - count) more" : shown
  }
}
