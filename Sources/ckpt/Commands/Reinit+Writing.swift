import ArgumentParser
import CheckpointKit

/// What `reinit` writes, and what of the file is lost: settled before anything is written.
extension Ckpt.Reinit {
  /// How the result is written.
  enum Output {
    /// As a copy of the input in which the drawn tensors are new.
    case copy(CopyTarget)
    /// From the beginning: in another format, or with ties separated.
    case new(CheckpointTarget)

    /// Whether it is written from the beginning.
    var isNew: Bool { if case .new = self { true } else { false } }
  }

  /// The checkpoint to write, and what it does not hold.
  struct Plan {
    var checkpoint: Checkpoint
    /// The new tensors, by their names in the input.
    var replaced: [TensorName: Checkpoint.Entry] = [:]
    var losses: [String] = []
  }

  func output(_ path: String, of input: CheckpointSource) throws -> Output {
    if inPlace {
      if target.to != nil || target.compression != nil || target.parity != nil {
        throw ValidationError(
          "--in-place keeps the format, and parity if there is any; omit --to, --compression, "
            + "and --parity")
      }
      return .copy(CopyTarget(replacing: input.probe))
    }
    if !untie, let copy = try copyTarget(path, of: input) { return .copy(copy) }
    var new = try target.target(path, common)
    new.options.nests =
      untie && new.format.name == input.format.name && new.format.capabilities.nestsValues
      && !input.parts.isEmpty
    return .new(new)
  }

  /// The target of a filled copy; in a dry run no folder is made.
  private func copyTarget(_ path: String, of input: CheckpointSource) throws -> CopyTarget? {
    guard dryRun, input.probe.members != nil else {
      return try target.copyTarget(path, of: input)
    }
    return CopyTarget(replacing: input.probe)
  }

  /// Settles what is written; without an output, what a copy would hold.
  func plan(
    _ result: Reinitialization.Result, _ opened: Opened, untied: Set<TensorName>,
    of input: CheckpointSource, to output: Output?
  ) async throws -> Plan {
    let replaced = Set(result.replaced)
    var plan = Plan(checkpoint: result.checkpoint)
    for entry in result.checkpoint.entries where replaced.contains(entry.name) {
      plan.replaced[entry.name] = entry
    }
    guard case .new(let target) = output else {
      if dryRun || report.json {
        plan.losses = try input.losses(
          fillingWith: plan.replaced, metadata: result.checkpoint.recorded)
      }
      return plan
    }
    var conversion = Conversion(Selection())
    conversion.remedy = "keep the file's format for every part, or pass --key for another"
    let whole =
      target.options.nests ? try self.whole(plan, opened, untied: untied, of: input) : opened
    let converted = try conversion.applied(to: whole)
    try target.format.capabilities.check(
      converted.checkpoint, target.options, format: target.format.name)
    plan.losses =
      ConversionPlan(
        of: converted, from: whole.checkpoint, to: target.format, options: target.options
      ).losses
    plan.checkpoint = converted.checkpoint
    return plan
  }

  /// Every part of the file, with the new tensors in the part that was opened.
  private func whole(
    _ plan: Plan, _ opened: Opened, untied: Set<TensorName>, of input: CheckpointSource
  ) throws -> Opened {
    var whole = try input.withAllParts(common.threads)
    let names = Set(whole.checkpoint.entries.map(\.name))
    let part = opened.parts.first { $0.isOpened }.map { $0.key + "." } ?? ""
    // The parts of a file in which none is the model are read with their names.
    let isInside = opened.checkpoint.entries.allSatisfy {
      names.contains(TensorName(part + $0.name.text))
    }
    func place(_ name: TensorName) -> TensorName {
      isInside ? TensorName(part + name.text) : name
    }
    whole.checkpoint.untie(Set(untied.map(place)))
    var new: [TensorName: Checkpoint.Entry] = [:]
    for (name, entry) in plan.replaced { new[place(name)] = entry }
    for (index, old) in whole.checkpoint.entries.enumerated() {
      guard var entry = new[old.name] else { continue }
      (entry.name, entry.alias) = (old.name, old.alias)
      whole.checkpoint.entries[index] = entry
    }
    whole.checkpoint.modules = opened.checkpoint.modules
    for (key, text) in plan.checkpoint.recorded { whole.checkpoint.setText(text, for: key) }
    return whole
  }

  func write(_ plan: Plan, of input: CheckpointSource, to output: Output) async throws {
    switch output {
    case .new(let target): try await target.write(plan.checkpoint, showing: common)
    case .copy(let target):
      let progress = Progress(
        reading: plan.checkpoint.entries.filter { plan.replaced[$0.name] != nil },
        quiet: common.quiet)
      defer { progress.finish() }
      let filled = try await input.filled(
        with: Dictionary(keepingFirst: progress.entries.map { ($0.name, $0) }),
        metadata: plan.checkpoint.recorded,
        threads: common.threads)
      filled.losses.filter { !plan.losses.contains($0) }.forEach(common.notes(on: file))
      try await target.write(filled).warnings.forEach(common.warnings(on: file))
    }
  }
}
