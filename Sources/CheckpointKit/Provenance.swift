import JSONText
public import TensorCore

/// The commands that made a checkpoint, oldest first; append-only.
///
/// Kept as JSON in the metadata under `Checkpoint.provenanceKey`. No step holds a time, a host
/// or a user, so that the same work gives the same bytes.
public struct Provenance: Codable, Hashable, Sendable {
  /// One command that took part in making the file, with what it was given.
  public struct Step: Codable, Hashable, Sendable {
    /// Command, `reinit`.
    public var command: String
    /// Options that shaped the result, `--match Linear`.
    public var options: [String]
    /// Fingerprints of the inputs, in the order of the command line; empty where knowing them would
    /// have meant reading an input twice.
    public var inputs: [String]
  }

  /// The steps so far.
  public private(set) var steps: [Step] = []

  /// Reads a checkpoint's provenance; none gives an empty list.
  public init(of checkpoint: Checkpoint) throws(CheckpointError) {
    guard let text = checkpoint.metadata[Checkpoint.provenanceKey] else { return }
    do {
      steps = try [Step](jsonText: text)
    } catch {
      throw CheckpointError(
        .malformed, "provenance: expected a JSON array of steps, found '\(text.prefix(60))'")
    }
  }

  /// Adds a step.
  public mutating func add(command: String, options: [String], inputs: [Fingerprint]) {
    steps.append(
      Step(
        command: command, options: options.map(\.shownPath),
        inputs: inputs.map(\.digest.description)))
  }

  /// The JSON of a checkpoint's metadata: keys sorted, one line.
  public var json: String {
    get throws { try steps.jsonText() }
  }
}
