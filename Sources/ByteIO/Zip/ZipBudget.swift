import Synchronization
import TensorCore

/// The bytes that members of other methods than deflate may be unpacked to, all of an archive together:
/// what deflate makes of an archive is bounded by its format.
final class ZipBudget: Sendable {
  private let account: Mutex<Budget.Account>
  private let size: Int

  init(of file: ByteSource) {
    size = file.size
    account = Mutex(Budget.current.account(of: .unpackedFiles, size: file.size))
  }

  /// Charges bytes of a member.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` when there are too many.
  func charge(_ count: Int, of member: ZipMember) throws(CheckpointError) {
    if member.method == .deflated { return }
    let limit = account.withLock { $0.charge(count) ? nil : $0.limit }
    guard let limit else { return }
    throw CheckpointError(
      .unsupported,
      "unpacks to more than \(limit) bytes from \(size); pass --allow-large to unpack it")
  }
}
