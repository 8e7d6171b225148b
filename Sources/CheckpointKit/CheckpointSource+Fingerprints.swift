import CheckpointFormats
import ParallelWork
import TensorCore

/// Renewing the fingerprints of files that get new tensors.
extension CheckpointSource {
  /// Sets the fingerprints that the files will have with the new tensors.
  ///
  /// Only a fingerprint that its file has now is renewed: damage, or a change by another program, must
  /// not get a fingerprint that covers it up.
  /// - Returns: a sentence about each fingerprint that stays as it is.
  func renewFingerprints(in fill: inout Fill) async throws -> [String] {
    let opened = try withAllParts(fill.threads)
    if opened.fingerprints.isEmpty { return [] }
    var renamed = fill
    let names = Set(opened.checkpoint.entries.map(\.name))
    let part = self.opened.parts.first { $0.isOpened }.map { $0.key + "." } ?? ""
    renamed.tensors = [:]
    for (name, entry) in fill.tensors {
      renamed.tensors[names.contains(name) ? name : TensorName(part + name.text)] = entry
    }
    let new = try renamed.resolved(in: opened).tensors
    var losses: [String] = []
    for stored in opened.fingerprints {
      let old = opened.checkpoint.entries.filter { stored.tensors.contains($0.name) }
      let changes = old.map { entry in
        let isTie = !opened.claimedTies.contains(entry.name)
        return new[entry.name] ?? (isTie ? entry.alias.flatMap { new[$0] } : nil)
      }
      if changes.allSatisfy({ $0 == nil }) { continue }
      if let fingerprint = try await renewed(stored, old, changes, threads: fill.threads) {
        if let file = stored.file {
          fill.shardFingerprints[file] = fingerprint
        } else {
          fill.fingerprint = fingerprint
        }
      } else {
        let file = stored.file.map { " of '\($0)'" } ?? ""
        losses.append(
          "the stored fingerprint\(file) did not match its tensors before, so it is not renewed: see ckpt check"
        )
      }
    }
    return losses
  }

  /// The file with all its parts, to which a fingerprint belongs.
  package func withAllParts(_ threads: Int) throws -> Opened {
    if opened.parts.isEmpty { return opened }
    return try format.open(probe, OpenOptions(readsAllParts: true, threads: threads))
  }

  /// The fingerprint with the changes; `nil` if the stored one is not that of the old tensors.
  private func renewed(
    _ stored: StoredFingerprint, _ old: [Checkpoint.Entry], _ changes: [Checkpoint.Entry?],
    threads: Int
  ) async throws -> Fingerprint? {
    guard let expected = try? Fingerprint(stored.text) else { return nil }
    let added = changes.compactMap { $0 }
    let found = try await Checkpoint.digests(of: old + added, threads: threads)
    let known = try found.prefix(old.count).compactMap { digest in
      do {
        return try digest.get()
      } catch let error as CheckpointError where error.code != .system {
        return nil  // damage, which no fingerprint may cover up
      }
    }
    guard known.count == old.count,
      Fingerprint(Manifest(zip(old, known).map { (entry: $0, digest: $1) })) == expected
    else { return nil }
    var digests = known
    var rest = found.dropFirst(old.count)
    for (index, change) in changes.enumerated() where change != nil {
      if let digest = rest.popFirst() { digests[index] = try digest.get() }
    }
    return Fingerprint(Manifest(zip(old, digests).map { (entry: $0, digest: $1) }))
  }
}
