/// The name most like `text`, for an error that suggests it; `nil` if none is near.
///
/// Near is at most two edits, or a third of the text's length if that is more; case and
/// underscores are not counted.
package func nearestName(to text: String, among names: [String]) -> String? {
  func plain(_ name: String) -> [Character] { Array(name.lowercased().filter { $0 != "_" }) }
  let wanted = plain(text)
  let ranked = names.map { (name: $0, distance: edits(from: wanted, to: plain($0))) }
  guard let best = ranked.min(by: { $0.distance < $1.distance }),
    best.distance <= max(2, wanted.count / 3), best.distance < wanted.count
  else { return nil }
  return best.name
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
