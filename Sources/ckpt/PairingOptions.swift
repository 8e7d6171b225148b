import ArgumentParser
import CheckpointKit

/// New names for tensors, by which `convert` renames them and other commands pair them.
struct RenameOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Rename tensors as sed does: 's/pattern/replacement/[g][i]'. Other commands than convert only pair tensors by the new names. May be repeated; applied in order.",
      valueName: "s/…/…/"))
  var rename: [String] = []

  func validate() throws {
    try checkingUsage { _ = try names() }
  }

  /// The new names, those of a file of `--map` first.
  func names(map: String? = nil) throws -> NameMap {
    var names = try map.map { try NameMap(file: $0) } ?? NameMap()
    for text in rename { try names.add(substitution: text) }
    return names
  }
}

extension RenameOptions {
  /// Makes sure that each substitution matches a name of a checkpoint or of a model.
  func requireMatches(among checkpoints: [Checkpoint], and model: Model?) throws {
    if rename.isEmpty { return }
    let theirs = model?.module.stateDict().map(\.name) ?? []
    try names().requireMatches(among: checkpoints.flatMap { $0.entries.map(\.name) } + theirs)
  }

  /// Pairs a checkpoint's tensors with those of a model, and notes a prefix that differs.
  func pairing(
    of checkpoint: Checkpoint, with model: Model?, notes: (String) -> Void
  ) throws -> NamePairing? {
    guard let model else { return nil }
    let tensors = model.module.stateDict().map { ($0.name, $0.shape) }
    let named = checkpoint.entries.map { ($0.name, $0.info.shape) }
    let pairing = try NamePairing(named, tensors, names: names())
    if pairing.hasPrefix { notes(pairing.note(of: "the model")) }
    return pairing
  }
}
