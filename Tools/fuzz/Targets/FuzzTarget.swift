import TensorCore
import TestSupport

/// A reader or a parser that is given any bytes, and a way to change bytes so that they reach it.
///
/// `Tools/fuzz/run` calls a target millions of times under the sanitizers; the suite `CorpusTests` calls
/// it with each stored input.
package struct FuzzTarget: Sendable {
  /// Changes some bytes at random; the result has at most `limit` of them.
  package typealias Change = (_ bytes: inout [UInt8], _ limit: Int) -> Void

  /// What takes other threads and is awaited: writing, and reading back.
  package typealias Rest = @Sendable () async throws -> Void
  /// Reads bytes; it may refuse them with a ``CheckpointError``.
  typealias Read = @Sendable (_ bytes: [UInt8], _ dice: inout SplitMix) throws -> Rest?
  /// Changes a part of a file and makes the rest agree with it: sums, offsets, and packed streams.
  ///
  /// It returns `nil` for bytes that it does not understand.
  typealias Mutation =
    @Sendable (_ bytes: [UInt8], _ dice: inout SplitMix, _ change: Change) throws -> [UInt8]?

  /// What `Tools/fuzz/run` calls it.
  package let name: String
  private let read: Read
  private let mutation: Mutation?
  /// Longest message in bytes; the command cuts what quotes a user's text.
  private let maxMessage: Int

  init(
    _ name: String, mutation: Mutation? = nil, maxMessage: Int = 1000, _ read: @escaping Read
  ) {
    self.name = name
    self.mutation = mutation
    self.maxMessage = maxMessage
    self.read = read
  }

  /// Every target, the most dangerous first.
  package static let all: [FuzzTarget] =
    archives + structures + native + codecs + pickles + texts

  /// Finds a target by its name.
  package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

  /// What became of some bytes.
  package enum Outcome: Sendable {
    /// They were read, or refused as they should be.
    case done
    /// The same so far.
    case unfinished(Rest)
    /// Something is wrong, and what.
    case problem(String)
  }

  /// Gives the target some bytes; crashes, endless loops, and too much memory show themselves.
  package func begin(_ bytes: [UInt8]) -> Outcome {
    // The same bytes are read in the same way at every run.
    var dice = SplitMix(
      seed: bytes.reduce(UInt64(bytes.count)) { $0 &* 0x100_0000_01b3 ^ UInt64($1) })
    do {
      return try read(bytes, &dice).map { .unfinished($0) } ?? .done
    } catch {
      return problem(error).map { .problem($0) } ?? .done
    }
  }

  /// Awaits the rest, and returns what is wrong, if anything is.
  package func problem(of rest: Rest) async -> String? {
    do {
      try await rest()
      return nil
    } catch {
      return problem(error)
    }
  }

  /// Gives the target some bytes and returns what is wrong, if anything is.
  package func problem(with bytes: [UInt8]) async -> String? {
    switch begin(bytes) {
    case .done: nil
    case .unfinished(let rest): await problem(of: rest)
    case .problem(let text): text
    }
  }

  private func problem(_ error: any Error) -> String? {
    guard let error = error as? CheckpointError else { return "\(error)" }
    let text = error.description
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
      return "a message with control characters: \(text)"
    }
    return text.utf8.count <= maxMessage ? nil : "a message of \(text.utf8.count) bytes: \(text)"
  }

  /// Changes some bytes, as the target's format allows or without any regard for it.
  package func mutated(_ bytes: [UInt8], seed: UInt64, limit: Int, _ change: Change) -> [UInt8] {
    var dice = SplitMix(seed: seed)
    if let mutation, dice.below(8) > 0, let made = try? mutation(bytes, &dice, change),
      made.count <= limit
    {
      return made
    }
    var copy = bytes
    change(&copy, limit)
    return copy
  }
}

/// What a target did wrong, though it did not stop the process.
struct Finding: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
