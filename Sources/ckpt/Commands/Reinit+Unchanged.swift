import CheckpointKit

extension Ckpt.Reinit {
  /// Notes a redraw that gives the values that were there: most often the seed is the one that they
  /// were drawn from, which is 0 by default in `init` as well.
  ///
  /// Constants, which every seed gives again, are only counted if nothing else was redrawn.
  func noteUnchanged(_ result: Reinitialization.Result, _ source: Checkpoint) async throws {
    guard from == nil, !dryRun, !common.quiet else { return }
    let replaced = Set(result.replaced)
    let old = source.entriesByName
    let pairs = result.checkpoint.entries.compactMap { new in
      replaced.contains(new.name) ? old[new.name].map { (old: $0, new: new) } : nil
    }
    let unchanged = try await CheckpointDiff.unchanged(by: pairs, threads: common.threads)
    if !pairs.isEmpty, unchanged.count == pairs.count {
      return common.notes(on: file)(
        "the redrawn values are those that were there; pass another --seed to change them")
    }
    let names = Set(unchanged)
    let drawn = try pairs.filter { names.contains($0.new.name) }.filter { pair in
      let statistics = try TensorStatistics(of: pair.old)
      return statistics.minimum != statistics.maximum
    }
    guard let first = drawn.first else { return }
    let count = drawn.count == 1 ? "1 tensor was" : "\(drawn.count.grouped) tensors were"
    common.notes(on: file)(
      "\(count) redrawn with the values that were there, such as '\(first.new.name.text.escapingControls)'; pass another --seed to change them"
    )
  }
}
