public import ByteIO
public import ParallelWork
public import TensorCore

/// Restoring a file from its parity.
extension Parity {
  /// What became of a repair.
  public struct Repair: Sendable {
    /// What was damaged.
    public let damage: Damage
    /// What is still damaged: each damaged tensor's or part's first error; if there is any, nothing was
    /// written.
    public let errors: [CheckpointError]

    /// Whether the file was restored, byte for byte, and written.
    public var isComplete: Bool { errors.isEmpty && damage.lostBlocks.isEmpty }
  }

  /// Writes the file as it was before the damage; only if every byte of the result can be verified does it
  /// get its name.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when the system refuses.
  public func repair(
    to name: String, in place: Place, overwrites: Bool = false,
    threads: Int = Threads.available
  ) async throws -> Repair {
    let sink = try place.create(name, replacing: overwrites)
    var repair: Repair?
    try await sink.staging { sink in
      let damage = try await restore(to: sink, threads: threads)
      let restored = try FileProbe(try sink.readBack(), in: place)
      repair = Repair(damage: damage, errors: try await Self.errors(of: restored, threads: threads))
    }
    guard let repair else { throw CheckpointError(.system, "nothing was written", path: name) }
    if repair.isComplete { try sink.commit() }
    return repair
  }

  /// The file with all that can be restored, in a temporary file without a name.
  package func restored(_ probe: FileProbe, threads: Int) async throws -> FileProbe {
    let sink = try ByteSink.temporary(for: probe.path)
    _ = try await restore(to: sink, threads: threads)
    return try FileProbe(try sink.readBack(), in: probe.place, step: probe.step)
  }

  /// Copies the file to a local sink, and restores there what can be restored.
  package func restore(to sink: ByteSink, threads: Int) async throws -> Damage {
    let size = min(file.size, end)
    var copy: ByteSource?
    do throws(CheckpointError) {
      try sink.append(0..<size, of: source)
    } catch {
      guard error.isUnreadable else { throw error }
      try sink.append(sink.position..<size, of: file)
      // Read in other parts, the device may give more or less.
      copy = try sink.readBack()
    }
    let damage = try await damage(of: copy ?? file, threads: threads, restoringTo: sink)
    sink.advance(to: max(end, sink.position))
    if file.size > end, damage.surplusByteCount == 0 { try sink.append(end..<file.size, of: file) }
    return damage
  }

  /// What a file that should be intact fails to verify.
  private static func errors(of probe: FileProbe, threads: Int) async throws -> [CheckpointError] {
    do {
      return try await CheckpointFormat.native.verify?(probe, threads) ?? []
    } catch let error as CheckpointError {
      return [error]
    }
  }
}
