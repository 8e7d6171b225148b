import Synchronization
import TensorCore

/// The bytes that members of other methods than deflate may be unpacked to, all of an archive together:
/// what deflate makes of an archive is bounded by its format.
final class ZipBudget: Sendable {
  /// What is left, and the bytes from the beginning of each member that were charged.
  private struct State {
    var account: Budget.Account
    var charged: [Int: Int] = [:]
  }

  private let state: Mutex<State>
  private let size: Int

  init(of file: ByteSource) {
    size = file.size
    state = Mutex(State(account: Budget.current.account(of: .unpackedFiles, size: file.size)))
  }

  /// Charges the bytes of a member up to byte `end`, each once, however often it is unpacked.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` when there are too many.
  func charge(upTo end: Int, of member: ZipMember) throws(CheckpointError) {
    if member.method == .deflated { return }
    let limit = state.withLock { state -> Int? in
      let known = state.charged[member.index] ?? 0
      guard end > known else { return nil }
      guard state.account.charge(end - known) else { return state.account.limit }
      state.charged[member.index] = end
      return nil
    }
    guard let limit else { return }
    throw CheckpointError(
      .unsupported,
      "unpacks to more than \(limit) bytes from \(size); pass --allow-large to unpack it")
  }
}
