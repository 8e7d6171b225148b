public import ByteIO
public import ParallelWork
public import TensorCore

/// What `ckpt check` has found out about a file.
public struct Integrity: Sendable {
  /// How much of a file was compared with something that the file stores.
  public enum Extent: String, Sendable, Encodable {
    /// Every byte.
    case everyByte = "every byte"
    /// The bytes of every tensor.
    case everyTensor = "every tensor"
    /// Structures only: a flipped bit in a tensor would go unnoticed.
    case structure
  }

  /// Each damaged tensor's or part's first error; empty for an intact file.
  public let damage: [CheckpointError]
  /// How much was compared.
  public let extent: Extent
  /// With what tensors were compared: `checksums`, `fingerprint`.
  public let means: [String]
  /// Why only structures could be verified.
  private let obstacle: String
  /// Of what every byte was compared.
  private var remark = ""
  /// The errors of ``damage`` that are about a fingerprint.
  private var fingerprintErrors: Set<CheckpointError> = []

  /// Whether an error is about all tensors, whose fingerprint differs, and not about one of them.
  package func isFingerprint(_ error: CheckpointError) -> Bool {
    fingerprintErrors.contains(error)
  }

  /// What could be verified, `every tensor: fingerprint` or `structure only: npy has no checksums`.
  public var summary: String {
    switch extent {
    case .everyByte: extent.rawValue + remark
    case .everyTensor: "\(extent.rawValue): \(means.joined(separator: " and "))"
    case .structure: "structure only: \(obstacle)"
    }
  }
}

/// Reading a checkpoint to find damage.
extension Integrity {
  /// Reads every byte of a checkpoint and compares all that its format and its fingerprint let be
  /// compared; stored digests are not relied on.
  ///
  /// `reading` is given the tensors before they are read, to count them, say.
  /// - Throws: `CheckpointError` when the file cannot be opened at all.
  public init(
    of path: String, threads: Int = Threads.available,
    reading: ([Checkpoint.Entry]) -> [Checkpoint.Entry] = { $0 }
  ) async throws {
    try await self.init(of: .checkpoint(path), threads: threads, reading: reading)
  }

  /// The same for a checkpoint that a place has opened.
  public init(
    of probe: FileProbe, threads: Int = Threads.available,
    reading: ([Checkpoint.Entry]) -> [Checkpoint.Entry] = { $0 }
  ) async throws {
    if probe.step == nil, let pack = try RunPack(probe) {
      damage = try await pack.verify(threads: threads).map { $0.adding(path: probe.path) }
      (extent, means, obstacle) = (.everyByte, [], "")
      let count = pack.steps.count
      let rest =
        pack.unfinishedByteCount == 0
        ? "" : "; \(pack.unfinishedByteCount) bytes at the end were never finished"
      remark = " of \(count) checkpoint\(count == 1 ? "" : "s")\(rest)"
      return
    }
    if try CheckpointPatch(probe) != nil { remark = " of the patch, without its base" }
    let source = try CheckpointSource.open(
      probe, options: OpenOptions(readsAllParts: true, threads: threads))
    let opened = source.opened
    var damage: [CheckpointError] = []
    var seal = Seal()
    if opened.coverage < .everything {
      let entries = reading(opened.checkpoint.entries)
      if opened.fingerprints.isEmpty {
        let errors = try await Checkpoint.readErrors(of: entries, threads: threads)
        damage = zip(entries, errors).compactMap { $1?.adding(tensor: $0.name.text) }
      } else {
        let digests = try await Checkpoint.digests(of: entries, threads: threads)
        damage = zip(entries, digests).compactMap { entry, digest in
          Self.error(of: digest)?.adding(tensor: entry.name.text)
        }
        seal = try Seal(opened, zip(entries, digests))
        damage += seal.damage.map { $0.adding(path: probe.path) }
        fingerprintErrors = Set(seal.mismatches.map { $0.adding(path: probe.path) })
      }
    }
    if let verify = source.format.verify {
      // What a tensor's error already says, its member need not say again.
      let known = Set(damage.map(\.message))
      damage += try await verify(probe, threads).filter { !known.contains($0.message) }
    }
    self.damage = damage.map { $0.adding(path: probe.path) }
    means =
      (opened.coverage == .tensors ? ["checksums"] : []) + (seal.isComplete ? ["fingerprint"] : [])
    extent =
      opened.coverage == .everything ? .everyByte : means.isEmpty ? .structure : .everyTensor
    let mayHave = source.format.verify != nil || source.format.name == "hdf5"
    obstacle =
      seal.remark ?? "\(mayHave ? "the file" : source.format.name) has no checksums"
  }

  private static func error<Value>(of result: Result<Value, any Error>) -> CheckpointError? {
    guard case .failure(let error) = result else { return nil }
    return error as? CheckpointError ?? CheckpointError(.system, "\(error)")
  }
}

/// A comparison of tensors with the fingerprints that their files carry.
private struct Seal {
  private(set) var damage: [CheckpointError] = []
  /// The errors of ``damage`` that are not about the text of a fingerprint.
  private(set) var mismatches: [CheckpointError] = []
  /// Whether a fingerprint that could be compared covers every tensor.
  private(set) var isComplete = false
  /// What kept a fingerprint from being compared.
  private(set) var remark: String?

  /// Nothing is compared.
  init() {}

  init(
    _ opened: Opened,
    _ tensors: some Sequence<(Checkpoint.Entry, Result<Digest, any Error>)>
  ) throws {
    var covered: Set<TensorName> = []
    for stored in opened.fingerprints {
      do throws(CheckpointError) {
        let expected = try Fingerprint(stored.text)
        covered.formUnion(stored.tensors)
        let own = tensors.filter { stored.tensors.contains($0.0.name) }
        let known = own.compactMap { entry, digest in (try? digest.get()).map { (entry, $0) } }
        // A tensor that cannot be read is damage already.
        guard known.count == own.count else { continue }
        let found = Fingerprint(Manifest(known.map { (entry: $0.0, digest: $0.1) }))
        if found != expected {
          mismatches.append(Self.mismatch(stored, expected, found))
          damage.append(mismatches[mismatches.count - 1])
        }
      } catch {
        if error.code == .unsupported { remark = error.message } else { damage.append(error) }
      }
    }
    isComplete = remark == nil && opened.checkpoint.entries.allSatisfy { covered.contains($0.name) }
  }

  private static func mismatch(
    _ stored: StoredFingerprint, _ expected: Fingerprint, _ found: Fingerprint
  ) -> CheckpointError {
    let file = stored.file.map { "file '\($0)': " } ?? ""
    return CheckpointError(
      .malformed,
      "\(file)expected tensors of fingerprint \(short(expected)), found \(short(found)): damaged, "
        + "or changed by another program")
  }

  /// The algorithm and the first 12 digits.
  private static func short(_ fingerprint: Fingerprint) -> String {
    let text = fingerprint.description
    let digits = text.utf8.firstIndex(of: UInt8(ascii: ":")).map(text.index(after:))
    guard let start = digits else { return text }
    return text[..<start] + text[start...].prefix(12) + "…"
  }
}
