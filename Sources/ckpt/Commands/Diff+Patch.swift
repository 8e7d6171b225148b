import ArgumentParser
import CheckpointKit

extension Ckpt.Diff {
  /// Refuses options that do not go with a patch.
  func validatePatch() throws {
    if patch != nil, inputs.key != nil || !(selection.match + selection.exclude).isEmpty {
      throw ValidationError("--patch covers whole files; remove --key, --match, and --exclude")
    }
    if let patch, [first, second].contains(patch) {
      throw ValidationError("--patch: '\(patch)' is a file to compare")
    }
    if patch == "-" { throw ValidationError("--patch: expected a file, found '-'") }
  }

  /// Where the patch goes, asked before any work is done.
  ///
  /// - Throws: `CheckpointError` when a file may not be written there.
  func patchTarget(_ path: String) throws -> (place: Place, name: String) {
    let target = Place.locate(path)
    _ = try target.place.create(target.name, replacing: force)
    return target
  }

  /// Writes a patch that makes the second file of the first.
  func write(
    _ path: String, _ sources: (CheckpointSource, CheckpointSource), _ pairing: NamePairing
  ) async throws {
    let (old, new) = (try WholeFile(sources.0), try WholeFile(sources.1))
    old.notes.forEach(common.notes(on: first))
    new.notes.forEach(common.notes(on: second))
    let (place, name) = try patchTarget(path)
    var options = WriteOptions()
    options.threads = common.threads
    let summary = try await naming(path) {
      try await CheckpointPatch.write(
        from: old.checkpoint, to: new.checkpoint, partners: pairing.inverse, in: place, name: name,
        options: options, overwrites: force)
    }
    let counts = [
      (summary.unchanged, "unchanged"), (summary.changed, "changed"),
      (summary.whole, "stored whole"),
    ]
    common.wrote(
      path,
      counts.filter { $0.0 > 0 }.map { "\($0.0.grouped) \($0.1)" } + [
        summary.byteCount.byteCountText
      ])
  }
}
