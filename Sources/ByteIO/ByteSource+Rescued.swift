import TensorCore

extension ByteSource {
  /// The same bytes for readers that verify all that they read: those that the device cannot read are zeros.
  package var rescued: ByteSource {
    ByteSource(name: name, size: size, entityTag: entityTag) {
      [self] offset, target throws(CheckpointError) in
      do throws(CheckpointError) {
        try readOnce(at: offset, into: &target)
      } catch {
        guard error.isUnreadable else { throw error }
        try readBlocks(at: offset, into: &target)
      }
    }
  }

  /// Reads so that an error concerns no later read.
  private func readOnce(
    at offset: Int, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    guard let local else { return try read(at: offset, into: &target) }
    try local.file.read(
      at: local.start + offset, into: &target, name: name, size: size, remembers: false)
  }

  /// Reads block by block, and puts zeros in place of those that cannot be read.
  private func readBlocks(
    at offset: Int, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    var done = 0
    while done < target.byteCount {
      let rest = Self.deviceBlock - (offset + done) % Self.deviceBlock
      let count = min(rest, target.byteCount - done)
      var block = target._mutatingExtracting(done..<done + count)
      do throws(CheckpointError) {
        try readOnce(at: offset + done, into: &block)
      } catch {
        guard error.isUnreadable else { throw error }
        block.fill([], from: 0)
      }
      done += count
    }
  }

  /// Bytes that a device loses at once, at least: a sector of most disks.
  private static let deviceBlock = 4096
}
