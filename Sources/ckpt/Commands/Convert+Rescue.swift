import ArgumentParser
import CheckpointKit
import Ranks

/// Opening what may be damaged.
extension Ckpt.Convert {
  /// The input, and with `--keep-going` what of it cannot be saved.
  struct Found {
    let opened: Opened
    /// Names of tensors that are damaged.
    var damaged: Set<TensorName> = []
    /// What is left out, and why; `nil` without `--keep-going`.
    var rescue: Rescue?

    /// Refuses a result of which nothing is left.
    func requireIntact(_ checkpoint: Checkpoint, in input: String) throws {
      guard let rescue, checkpoint.entries.isEmpty, !rescue.leftOut.isEmpty else { return }
      listLeftOut()
      throw CheckpointError(.malformed, "no tensor is intact", path: displayPath(input))
    }

    /// Lists what was left out; if there is anything, the command ends with status 1.
    func reportLeftOut() throws {
      guard let rescue, !rescue.leftOut.isEmpty else { return }
      listLeftOut()
      throw ExitCode(1)
    }

    private func listLeftOut() {
      for error in rescue?.leftOut ?? [] {
        StandardError().note("left out: \(error.description.escapingControls)")
      }
    }
  }

  /// Opens the input; with `--keep-going` as much of it as can be read, after parity restored what it can.
  func openInput() async throws -> Found {
    func open(_ probe: FileProbe) throws -> Opened {
      try inputs.open(probe, common, readsValues: !dryRun, all: all, notesParts: false).opened
    }
    guard keepGoing else {
      let probe = try FileProbe.checkpoint(input)
      let opened = try open(probe)
      if target.parity == nil, let percent = probe.parityPercent {
        common.notes(on: input)("has parity, which is not copied; --parity \(percent) adds it")
      }
      return Found(opened: opened)
    }
    let rescue = Rescue()
    return try await Rescue.$current.withValue(rescue) {
      let note = common.notes(on: input)
      let probe = try await restored(try .checkpoint(input))
      let opened = try naming(input) { try open(probe) }
      var progress: Progress?
      defer { progress?.finish() }
      let integrity = try await Integrity(of: probe, threads: common.threads) {
        let reading = Progress(reading: $0, quiet: common.quiet)
        progress = reading
        return reading.entries
      }
      var found = Found(opened: opened, rescue: rescue)
      // Damage is named as the file nests it, unless its format knows only the part's own names.
      let prefix = all ? "" : opened.parts.first { $0.isOpened }.map { $0.key + "." } ?? ""
      let others = all ? [] : opened.parts.filter { !$0.isOpened }.map { $0.key + "." }
      let names = Set(opened.checkpoint.entries.map(\.name))
      for error in integrity.damage {
        guard let tensor = error.tensor else {
          // Without the tensors that are left out, no fingerprint of all matches.
          if rescue.leftOut.isEmpty || !integrity.isFingerprint(error) {
            try rescue.leaveOut(error)
          }
          continue
        }
        try rescue.leaveOut(error)
        let isInside = tensor.utf8.starts(with: prefix.utf8)
        let inner = TensorName(
          isInside ? String(tensor.utf8.dropFirst(prefix.utf8.count)) ?? "" : "")
        if isInside, names.contains(inner) {
          found.damaged.insert(inner)
        } else if names.contains(TensorName(tensor)),
          !others.contains(where: { tensor.utf8.starts(with: $0.utf8) })
        {
          found.damaged.insert(TensorName(tensor))
        }
      }
      if integrity.extent == .structure {
        note("\(integrity.summary): tensors within the file are saved, but cannot be verified")
      }
      return found
    }
  }

  /// The file as its parity restores it, where it has some and is damaged.
  private func restored(_ probe: FileProbe) async throws -> FileProbe {
    guard let file = probe.file, probe.name.hasSuffix(".ckz") || probe.isNative,
      let parity = try Parity(in: file)
    else { return probe }
    let damage = try await parity.damage(threads: common.threads)
    if !damage.isDamaged { return probe }
    common.notes(on: input)("\(parity.summary(of: damage)); restoring what parity can")
    return try await parity.restored(probe, threads: common.threads)
  }
}

extension CheckpointSource {
  /// What can be done for a damaged file of which something is intact.
  static let remedy = "'ckpt convert --keep-going' saves what is intact"

  /// The same for a file that cannot be opened; `nil` if it can be, or nothing of it can be read.
  static func remedy(for path: String) -> String? {
    // Asked by the first rank alone.
    Ranks.$current.withValue(.alone) {
      guard path != "-", (try? open(path)) == nil else { return nil }
      let source = Rescue.$current.withValue(Rescue()) { try? open(path) }
      return source?.checkpoint.entries.isEmpty == false ? remedy : nil
    }
  }
}
