import CheckpointKit

extension Ckpt.Diff {
  /// Writes a patch that makes the second file of the first.
  func write(
    _ path: String, _ sources: (CheckpointSource, CheckpointSource), _ pairing: NamePairing
  ) async throws {
    let (old, new) = (try WholeFile(sources.0), try WholeFile(sources.1))
    old.notes.forEach(common.notes(on: first))
    new.notes.forEach(common.notes(on: second))
    let (place, name) = Place.locate(path)
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
