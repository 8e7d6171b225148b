import TensorCore

/// What the new names of many tensors have in common.
extension CheckpointDiff {
  /// A part of names that is another in the second file, and the tensors of which that is all.
  public struct Renaming: Sendable {
    /// Whole components in the first file's names, divided by dots; empty where components were added.
    public let old: String
    /// What stands there in the second file's; empty where components are left out.
    public let new: String
    /// Whether the names begin with that part.
    public let isPrefix: Bool
    /// Indices of the tensors in ``CheckpointDiff/tensors``.
    public internal(set) var tensors: [Int]

    /// `'layer' → 'block'`, `gain 'module.'`, `lose 'module.'`.
    public var text: String {
      switch (old.isEmpty, new.isEmpty) {
      case (true, _): "gain '\(new.escapingControls)\(isPrefix ? "." : "")'"
      case (_, true): "lose '\(old.escapingControls)\(isPrefix ? "." : "")'"
      default: "'\(old.escapingControls)' → '\(new.escapingControls)'"
      }
    }

    /// The name with the part replaced where it first stands; `nil` if it does not have it.
    func applied(to name: TensorName) -> TensorName? {
      let parts = name.components
      if old.isEmpty { return isPrefix ? TensorName("\(new).\(name.text)") : nil }
      let wanted = TensorName(old).components
      guard wanted.count < parts.count else { return nil }
      for start in 0...(isPrefix ? 0 : min(parts.count - wanted.count, Self.maxDepth))
      where zip(parts[start...], wanted).allSatisfy({ $0.utf8.elementsEqual($1.utf8) }) {
        let middle = new.isEmpty ? [] : [Substring(new)]
        return TensorName(
          (parts[..<start] + middle + parts[(start + wanted.count)...]).joined(separator: "."))
      }
      return nil
    }

    /// Deeper components are not looked at.
    private static let maxDepth = 64
  }

  /// The parts in which names differ, those of most tensors first; each renamed tensor is in one.
  public var renamings: [Renaming] { Self.renamings(in: tensors) }

  static func renamings(in changes: [Change]) -> [Renaming] {
    struct Key: Hashable {
      let old: TensorName
      let new: TensorName
      let isPrefix: Bool
    }
    var places: [Key: Int] = [:]
    var found: [Renaming] = []
    for (index, change) in changes.enumerated() {
      guard let newName = change.newName else { continue }
      let (old, new) = (change.name.components, newName.components)
      let most = min(old.count, new.count)
      // From the end first: names that only gain a prefix lose nothing.
      let end = zip(old.reversed(), new.reversed())
        .prefix { $0.utf8.elementsEqual($1.utf8) }.count
      let suffix = min(end, most)
      let begin = zip(old, new).prefix { $0.utf8.elementsEqual($1.utf8) }.count
      let prefix = min(begin, most - suffix)
      let key = Key(
        old: TensorName(old[prefix..<old.count - suffix].joined(separator: ".")),
        new: TensorName(new[prefix..<new.count - suffix].joined(separator: ".")),
        isPrefix: prefix == 0)
      if let place = places[key] {
        found[place].tensors.append(index)
      } else {
        places[key] = found.count
        found.append(
          Renaming(
            old: key.old.text, new: key.new.text, isPrefix: key.isPrefix, tensors: [index]))
      }
    }
    // Stable: equal counts stay in the order of the tensors.
    return found.enumerated().sorted {
      ($1.element.tensors.count, $0.offset) < ($0.element.tensors.count, $1.offset)
    }.map(\.element)
  }
}

extension TensorName {
  /// The parts between dots.
  var components: [Substring] {
    text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      .map { Substring($0) }
  }
}
