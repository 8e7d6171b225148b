public import TensorCore

/// Which tensors of two lists belong together although their names differ: by new names that the
/// user gave, then by a prefix that all of one list have.
///
/// Wrappers put such prefixes before the names of what they wrap: `DataParallel` and
/// `DistributedDataParallel` `module.`, `torch.compile` `_orig_mod.`, trainers `model.`.
public struct NamePairing: Sendable {
  /// A name, and the shape that the tensor must have in both lists to count as evidence of a prefix.
  public typealias Tensor = (name: TensorName, shape: Shape)

  /// For each tensor of the first list that has another name in the second, that name.
  public private(set) var partners: [TensorName: TensorName] = [:]
  /// What the names of the first list begin with, and those of the second do not; may be empty.
  public private(set) var firstPrefix = ""
  /// What the names of the second list begin with, and those of the first do not; may be empty.
  public private(set) var secondPrefix = ""

  /// Deeper prefixes are not looked for.
  private static let maxDepth = 8
  private static let wrappers: Set<String> = ["module", "_orig_mod", "model"]

  /// Pairs nothing.
  public init() {}

  /// Pairs two lists.
  ///
  /// `names` gives names of the first list new ones; its substitutions apply to both lists, so that
  /// it does not matter which of the two has what they remove. A prefix is believed if it pairs more
  /// tensors of equal shape than pair without it and more than half of the shorter list; one that no
  /// known wrapper makes, all of that list.
  /// - Throws: `CheckpointError` when a new name is too long.
  public init(_ first: [Tensor], _ second: [Tensor], names: NameMap = NameMap()) throws {
    let theirs = Set(second.map(\.name))
    var taken: Set<TensorName> = []
    var left: [Tensor] = []
    if names.isEmpty {
      for tensor in first {
        if theirs.contains(tensor.name) { taken.insert(tensor.name) } else { left.append(tensor) }
      }
    } else {
      let renamed = names.renaming()
      var theirNames: [TensorName: TensorName] = [:]
      for tensor in second {
        theirNames[try renamed(tensor.name)] = theirNames[try renamed(tensor.name)] ?? tensor.name
      }
      for tensor in first {
        let new = try renamed(tensor.name)
        let candidates = [new, theirNames[new], tensor.name].compactMap { $0 }
        let partner = candidates.first { theirs.contains($0) && !taken.contains($0) }
        guard let partner else {
          left.append(tensor)
          continue
        }
        taken.insert(partner)
        if partner != tensor.name { partners[tensor.name] = partner }
      }
    }
    if left.isEmpty { return }
    findPrefix(of: left, or: second.filter { !taken.contains($0.name) }, paired: taken.count)
  }

  /// The name in the first list, for one of the second.
  package var inverse: [TensorName: TensorName] {
    Dictionary(keepingFirst: partners.map { ($1, $0) })
  }

  /// The same pairs, the two lists exchanged.
  package var inverted: NamePairing {
    var copy = self
    copy.partners = inverse
    (copy.firstPrefix, copy.secondPrefix) = (secondPrefix, firstPrefix)
    return copy
  }

  private mutating func findPrefix(of first: [Tensor], or second: [Tensor], paired: Int) {
    let shorter = min(first.count, second.count)
    guard shorter > 0 else { return }
    var best: (count: Int, depth: Int, mine: String, theirs: String)?
    let (mine, theirs) = (Self.prefixes(of: first), Self.prefixes(of: second))
    for (depth, prefix) in mine.enumerated() {
      for (otherDepth, other) in theirs.enumerated() {
        let depth = depth + otherDepth
        let isWrapper = (prefix + other).utf8.split(separator: UInt8(ascii: "."))
          .allSatisfy { Self.wrappers.contains(String(Substring($0))) }
        // Where both have one, anything might be paired with anything.
        if depth == 0 || !isWrapper && !prefix.isEmpty && !other.isEmpty { continue }
        let count = Self.matches(first, prefix, second, other)
        guard count > paired, isWrapper ? count * 2 > shorter : count == shorter else { continue }
        if let best, (best.count, -best.depth) >= (count, -depth) { continue }
        best = (count, depth, prefix, other)
      }
    }
    guard let best else { return }
    (firstPrefix, secondPrefix) = (best.mine, best.theirs)
    let theirNames = Set(second.map(\.name))
    for tensor in first {
      guard let rest = tensor.name.rest(after: best.mine) else { continue }
      let partner = TensorName(best.theirs + rest)
      if theirNames.contains(partner), partner != tensor.name { partners[tensor.name] = partner }
    }
  }

  /// How many tensors agree in shape and name, each list's prefix left out.
  private static func matches(
    _ first: [Tensor], _ prefix: String, _ second: [Tensor], _ other: String
  ) -> Int {
    var shapes: [TensorName: Shape] = [:]
    for tensor in first {
      if let rest = tensor.name.rest(after: prefix) { shapes[TensorName(rest)] = tensor.shape }
    }
    return second.count { tensor in
      guard let rest = tensor.name.rest(after: other) else { return false }
      return shapes[TensorName(rest)] == tensor.shape
    }
  }

  /// The empty prefix, then longer ones, each of whole components and of more than half of the names.
  private static func prefixes(of tensors: [Tensor]) -> [String] {
    var prefixes = [""]
    var rest = tensors.map { Substring($0.name.text) }
    while prefixes.count <= maxDepth {
      var counts: [TensorName: Int] = [:]
      for name in rest {
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { continue }
        counts[TensorName(String(name[...dot])), default: 0] += 1
      }
      guard let (component, _) = counts.first(where: { $0.value * 2 > tensors.count }) else {
        break
      }
      prefixes.append(prefixes[prefixes.count - 1] + component.text)
      rest = rest.filter { $0.utf8.starts(with: component.text.utf8) }
        .map { Substring($0.utf8.dropFirst(component.text.utf8.count)) }
    }
    return prefixes
  }
}

extension TensorName {
  /// What follows a prefix; `nil` for a name that does not begin with it.
  fileprivate func rest(after prefix: String) -> String? {
    guard text.utf8.starts(with: prefix.utf8) else { return nil }
    return String(Substring(text.utf8.dropFirst(prefix.utf8.count)))
  }
}

extension NamePairing {
  /// Pairs the tensors of two checkpoints.
  public init(_ first: Checkpoint, _ second: Checkpoint, names: NameMap = NameMap()) throws {
    try self.init(first.named, second.named, names: names)
  }
}

extension Checkpoint {
  /// The tensors' names and shapes.
  package var named: [NamePairing.Tensor] { entries.map { ($0.name, $0.info.shape) } }

  /// The checkpoint with new names for some tensors; the module tree stays as it is.
  package func renamed(_ names: [TensorName: TensorName]) -> Checkpoint {
    if names.isEmpty { return self }
    var copy = self
    for index in entries.indices {
      copy.entries[index].name = names[entries[index].name] ?? entries[index].name
      copy.entries[index].alias = entries[index].alias.map { names[$0] ?? $0 }
    }
    return copy
  }
}
