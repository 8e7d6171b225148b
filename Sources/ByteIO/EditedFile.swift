import Glibc
package import TensorCore

/// The bytes of a local sink as a library of this process reads and writes them, at any offset and
/// again; they are the sink's, whichever of the two wrote them.
package final class EditedFile: Sendable {
  private let file: LocalFile
  private let name: String

  /// Opens the bytes of a sink that has a ``ByteSink/Abilities/descriptorPath``.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses.
  package init(_ sink: ByteSink) throws(CheckpointError) {
    name = sink.name
    file = try sink.reopened(O_RDWR)
  }

  /// Number of bytes at present.
  package func size() throws(CheckpointError) -> Int {
    try FileStatus(descriptor: file.descriptor, path: name).size
  }

  /// Fills `target` with the bytes starting at `offset`, all of which must exist.
  package func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    try file.read(at: offset, into: &target, name: name, size: try size())
  }

  /// Writes all of `bytes` from byte `offset` on.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try writeAll(bytes, to: file.descriptor, at: offset, path: name)
  }

  /// Cuts or extends the file.
  package func truncate(to size: Int) throws(CheckpointError) {
    _ = try systemCall("truncate", path: name) { ftruncate(file.descriptor, size) }
  }
}
