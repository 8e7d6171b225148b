import ByteIO
import TensorCore

extension CheckpointError {
  /// The error for a file whose structure, named by `subject`, contradicts itself; other errors, and
  /// those that name a tensor or a file of their own, stay as they are but for the path.
  func damage(to subject: String, path: String) -> CheckpointError {
    guard code == .malformed, tensor == nil, self.path == nil else { return adding(path: path) }
    return CheckpointError(
      .malformed, "\(subject): \(message)", path: path, offset: offset)
  }
}

extension ZipArchive {
  /// What reading a member and comparing its CRC-32 finds wrong; `nil` for an intact one.
  func damage(to member: ZipMember) -> CheckpointError? {
    do throws(CheckpointError) {
      try verify(member)
      return nil
    } catch {
      return error
    }
  }
}
