import ByteIO
import CheckpointFormats
import CheckpointKit
import TensorCore
import TestSupport

/// Files of the native format: checkpoints, packs, and patches.
extension FuzzTarget {
  static let native: [FuzzTarget] = [
    Self("ckz", mutation: NativeMutation.changed) { bytes, dice in
      let files = MemoryFiles(["a.ckz": bytes])
      let rest = try WholeRead("a.ckz", in: files).run(&dice)
      if dice.below(8) > 0 { return rest }
      return { _ = try await damage(files, "a.ckz") }
    },
    Self("pack", mutation: NativeMutation.changed) { bytes, dice in
      let files = MemoryFiles(["a.ckz": bytes])
      let pack = try RunPack(FileProbe("a.ckz", in: files.place))
      guard let pack else { return try WholeRead("a.ckz", in: files).run(&dice) }
      for number in pack.steps.indices.prefix(4) {
        try WholeRead.read(pack.checkpoint(number), &dice)
      }
      let rest = try WholeRead("a.ckz", in: files, step: .latest).run(&dice)
      if dice.below(8) > 0 { return rest }
      return { _ = try await pack.verify(threads: 1) }
    },
    Self("patch", mutation: NativeMutation.changed) { bytes, dice in
      let files = MemoryFiles([
        "a.ckz": bytes, "base.ckz": try Fixtures.bytes("native/stock.ckz"),
      ])
      guard let patch = try CheckpointPatch(FileProbe("a.ckz", in: files.place)) else {
        return try WholeRead("a.ckz", in: files).run(&dice)
      }
      let base = try CheckpointSource.open(FileProbe("base.ckz", in: files.place)).checkpoint
      let dice = dice
      return {
        var dice = dice
        let result = try await patch.applied(to: base, threads: 1)
        try WholeRead.read(result, &dice)
      }
    },
  ]

  /// What `ckpt check` finds.
  private static func damage(
    _ files: MemoryFiles, _ name: String
  ) async throws -> [CheckpointError] {
    let probe = try FileProbe(name, in: files.place)
    return try await CheckpointFormat.native.verify?(probe, 1) ?? []
  }
}
