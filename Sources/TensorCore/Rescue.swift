import Glibc
import Synchronization

/// The reading of a damaged file for what is intact in it: what is left out, and why.
///
/// While one is ``current``, a reader that finds something damaged on which the rest does not depend
/// leaves it out instead of throwing.
public final class Rescue: Sendable {
  /// That of the task that runs; `nil` if damage is an error.
  @TaskLocal public static var current: Rescue?

  private let errors = Mutex<[CheckpointError]>([])

  /// Nothing is left out yet.
  public init() {}

  /// What was left out so far: one error for each tensor or part.
  public var leftOut: [CheckpointError] { errors.withLock { $0 } }

  /// Leaves out what an error is about; of a tensor the first reason counts.
  ///
  /// - Throws: the error where it does not tell of damage: the system refused, and neither is a file missing
  ///   nor are there bytes that the device cannot read.
  package func leaveOut(_ error: CheckpointError) throws(CheckpointError) {
    guard error.tellsOfDamage else { throw error }
    errors.withLock { errors in
      let isKnown = errors.contains { known in
        known.tensor == nil
          ? known.description == error.description : known.tensor == error.tensor
      }
      if !isKnown { errors.append(error) }
    }
  }

  /// Leaves out what an error is about if a rescue is under way, and throws the error otherwise.
  package static func leaveOut(_ error: CheckpointError) throws(CheckpointError) {
    guard let current else { throw error }
    try current.leaveOut(error)
  }
}

extension CheckpointError {
  /// Whether it says that there is no such file.
  package var isMissingFile: Bool { systemNumber == ENOENT }

  /// Whether it says that the device could not read bytes (`EIO`).
  package var isUnreadable: Bool { systemNumber == EIO }

  /// Whether it is about the data, and not about what the system refuses to this process.
  package var tellsOfDamage: Bool { code != .system || isMissingFile || isUnreadable }
}
