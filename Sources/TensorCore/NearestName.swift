/// The name most like `text`, for an error that suggests it; `nil` if none is near.
///
/// Near is at most two edits, or a third of the text's length if that is more; case and
/// underscores are not counted.
package func nearestName(to text: String, among names: [String]) -> String? {
  func plain(_ name: String) -> [Character] { Array(name.lowercased().filter { $0 != "_" }) }
  let wanted = plain(text)
  let limit = max(2, wanted.count / 3)
  var best: (name: String, distance: Int)?
  for name in names {
    let candidate = plain(name)
    // No more edits than the lengths differ by would do.
    if abs(candidate.count - wanted.count) > limit { continue }
    let distance = edits(from: wanted, to: candidate)
    if distance <= limit, distance < wanted.count, distance < best?.distance ?? .max {
      best = (name, distance)
    }
  }
  return best?.name
}

/// At most three names that someone who wrote `text` may have meant: those that end in it, else the
/// one most like it, else those whose last part is; each is a tensor's name or a container's.
///
/// A glob is judged by what precedes its first wildcard.
package func nearestNames(to text: String, among names: [TensorName]) -> [String] {
  let literal = text.prefix { !"*?[".contains($0) }
  let wanted = String(literal.last == "." ? literal.dropLast() : literal)
  if wanted.isEmpty { return [] }
  var seen: Set<TensorName> = []
  var candidates: [String] = []
  for name in names {
    // The deeper containers of a hostile name are not worth the time.
    let text = name.text
    let dots = text.utf8.indices.lazy.filter { text.utf8[$0] == UInt8(ascii: ".") }.prefix(16)
    for end in Array(dots) + [text.endIndex]
    where seen.insert(TensorName(String(text[..<end]))).inserted {
      candidates.append(String(text[..<end]))
    }
  }
  let ending = candidates.filter { $0.hasSuffix(".\(wanted)") }
  if !ending.isEmpty { return Array(ending.prefix(3)) }
  if let nearest = nearestName(to: wanted, among: candidates) { return [nearest] }
  // A misspelled last part, without what precedes it.
  let leaves = candidates.map { TensorName($0).parentAndLeaf.leaf }
  guard let leaf = nearestName(to: wanted, among: leaves) else { return [] }
  return Array(zip(candidates, leaves).filter { $0.1.isSameText(leaf) }.map(\.0).prefix(3))
}

extension [String] {
  /// The names as a question that ends an error.
  package var question: String {
    guard let last else { return "" }
    let others = dropLast().map { "'\($0)'" }.joined(separator: ", ")
    return "; did you mean \(others.isEmpty ? "" : others + " or ")'\(last)'?"
  }
}

/// Levenshtein's distance: insertions, deletions and replacements.
private func edits(from: [Character], to: [Character]) -> Int {
  var previous = Array(0...to.count)
  for (row, character) in from.enumerated() {
    var current = [row + 1]
    for (column, other) in to.enumerated() {
      current.append(
        min(
          previous[column] + (character == other ? 0 : 1), previous[column + 1] + 1,
          current[column] + 1))
    }
    previous = current
  }
  return previous[to.count]
}

extension StringProtocol {
  /// Whether the UTF-8 is the same; `==` would take two spellings of one character for equal.
  package func isSameText(_ other: some StringProtocol) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}
