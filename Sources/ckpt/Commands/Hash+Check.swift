import ArgumentParser
import CheckpointKit
import Ranks

/// `hash --check`: what `sha256sum -c` does, for fingerprints and manifests.
extension Ckpt.Hash {
  /// What became of one line.
  private struct Outcome: Encodable {
    enum Result: String, Encodable {
      case same = "OK"
      case different = "FAILED"
      case unreadable = "FAILED open or read"
      case unlisted = "FAILED not listed"
      case malformed
    }
    /// A file, or with a manifest a tensor; of a malformed line its text.
    let name: String
    let result: Result
    /// Number of a malformed line, from 1.
    var line: Int?
  }

  /// Compares checkpoints with the lines of a file, or of standard input.
  func compare(with path: String) async throws {
    let sums = SumsFile(try FileProbe.argument(path).text(), algorithm)
    guard !sums.lines.isEmpty else {
      throw CheckpointError(
        .malformed, "expected lines as ckpt hash prints them, found none", path: displayPath(path))
    }
    var checkpoints: [(Digest, path: String)] = []
    var tensors: [(String, name: String)] = []
    for line in sums.lines {
      switch line {
      case .checkpoint(let digest, let path): checkpoints.append((digest, path))
      case .tensor(let text, let name): tensors.append((text, name))
      }
    }
    guard tensors.isEmpty == files.isEmpty else {
      throw ValidationError(
        tensors.isEmpty
          ? "--check: the file names the checkpoints itself; omit FILE"
          : "--check: a manifest does not name its checkpoint; pass FILE")
    }
    var output = StandardOutput()
    var outcomes: [Outcome] = []
    func add(_ outcome: Outcome) throws {
      outcomes.append(outcome)
      if report.json || common.quiet && outcome.result == .same { return }
      try output.line("\(outcome.name.escapingControls): \(outcome.result.rawValue)")
    }
    for (digest, path) in checkpoints {
      let found = try await digests(of: path)?.digest
      let result: Outcome.Result =
        found.map { $0 == digest ? .same : .different } ?? .unreadable
      try add(Outcome(name: path, result: result))
    }
    for file in files {
      try await compare(file, with: tensors, add: add)
    }
    if report.json {
      let malformed = sums.malformed.map {
        Outcome(name: $0.text, result: .malformed, line: $0.number)
      }
      try output.line(try jsonText(outcomes + malformed))
    }
    try output.flush()
    warn(outcomes, malformed: sums.malformed.count, isManifest: !files.isEmpty)
    if outcomes.contains(where: { $0.result != .same }) { throw ExitCode(1) }
  }

  /// Compares each tensor of a file with its line, and reports those without a line.
  private func compare(
    _ file: String, with tensors: [(String, name: String)], add: (Outcome) throws -> Void
  ) async throws {
    guard let manifest = try await digests(of: file) else {
      return try add(Outcome(name: file, result: .unreadable))
    }
    var found: [TensorName: String] = [:]
    for case .tensor(let text, let name) in SumsFile(manifest.text, algorithm).lines {
      found[TensorName(name)] = text
    }
    for (text, name) in tensors {
      let other = found.removeValue(forKey: TensorName(name))
      try add(
        Outcome(
          name: name, result: other == text ? .same : other == nil ? .unreadable : .different))
    }
    // A manifest covers all of a checkpoint: what it does not list was added.
    for name in found.keys.sorted() { try add(Outcome(name: name.text, result: .unlisted)) }
  }

  /// The digests of a file, every byte of it read; `nil`, with a note, if that fails.
  private func digests(of path: String) async throws -> Manifest? {
    do {
      return try await Ranks.current.together(path) {
        try await common.manifest(
          of: inputs.open(path, common).checkpoint, algorithm, isFull: true)
      }
    } catch let error as CheckpointError {
      StandardError().note(error.adding(path: displayPath(path)).description)
      return nil
    }
  }

  /// One line on standard error for each kind of failure, as `sha256sum` words them.
  private func warn(_ outcomes: [Outcome], malformed: Int, isManifest: Bool) {
    let what = isManifest ? "tensor" : "file"
    func warn(_ count: Int, _ one: String, _ many: String) {
      if count > 0 { StandardError().note("WARNING: \(count) \(count == 1 ? one : many)") }
    }
    warn(malformed, "line is improperly formatted", "lines are improperly formatted")
    warn(
      outcomes.count { $0.result == .unreadable }, "listed \(what) could not be read",
      "listed \(what)s could not be read")
    warn(
      outcomes.count { $0.result == .unlisted }, "\(what) is not listed",
      "\(what)s are not listed")
    warn(
      outcomes.count { $0.result == .different }, "computed checksum did NOT match",
      "computed checksums did NOT match")
  }
}
