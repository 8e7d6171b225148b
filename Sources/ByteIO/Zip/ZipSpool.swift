import Glibc
import TensorCore

/// The unpacked contents of members, one after another in one temporary file without a name.
struct ZipSpool {
  private let path: String
  private var sink: ByteSink?
  private var file: LocalFile?
  private var members: [Int: ByteSource] = [:]

  /// A spool without a file, which is made for the first member.
  init(for path: String) { self.path = path }

  /// The content of a member that is there.
  subscript(member: ZipMember) -> ByteSource? { members[member.index] }

  /// Adds a member's content, which `unpack` hands over in order.
  mutating func add(
    _ member: ZipMember,
    _ unpack: ((RawSpan) throws(CheckpointError) -> Void) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let sink: ByteSink
    if let known = self.sink { sink = known } else { sink = try .temporary(for: path) }
    self.sink = sink
    let start = sink.position
    try unpack { bytes throws(CheckpointError) in try sink.append(bytes) }
    let file: LocalFile
    if let known = self.file { file = known } else { file = try sink.reopened(O_RDONLY) }
    self.file = file
    let status = try FileStatus(descriptor: file.descriptor, path: path)
    members[member.index] = try ByteSource(file, status, name: path).part(start..<sink.position)
  }
}
