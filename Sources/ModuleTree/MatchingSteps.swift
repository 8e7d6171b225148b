import Synchronization
import TensorCore

/// The steps that regular expressions may take, all those together that share an account.
///
/// A step is one of PCRE2's and takes about 30 ns. Only names on which an expression takes more than
/// ``free`` steps from one place are charged, so that sensible expressions cost nothing however many
/// names there are.
package final class MatchingSteps: Sendable {
  /// Steps from each place of a name that are not charged.
  static let free = 200
  /// Most steps from one place of a name.
  static let most = 200_000
  /// Most steps of one account: some seconds.
  static let total = 500_000_000
  /// Bytes of a name up to which looking at all that follows is a part of a step.
  private static let shortNames = 1024

  /// The account of all expressions that are parsed within; without one each has its own.
  @TaskLocal package static var shared: MatchingSteps?

  private let left = Atomic(total)

  /// A full account.
  package init() {}

  /// Takes as many steps from each place of a name of `byteCount` bytes; false where they are not left.
  func charge(_ steps: Int, byteCount: Int) -> Bool {
    take(steps.saturated(times: byteCount + 1))
  }

  /// Takes what a name costs if each place looks at all bytes that follow; nothing for an ordinary name.
  func chargeName(of byteCount: Int) -> Bool {
    byteCount <= Self.shortNames || take(byteCount.saturated(times: byteCount) / 16)
  }

  private func take(_ amount: Int) -> Bool {
    amount <= Self.total && left.subtract(amount, ordering: .relaxed).newValue >= 0
  }
}
