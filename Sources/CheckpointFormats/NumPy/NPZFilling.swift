import ByteIO
import TensorCore

/// Filling a copy of an archive of arrays.
extension NPZ {
  /// Decides what changes: the arrays' elements, in the order and the byte order of their headers.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let archive = try fill.template.archive
    let members = archive.members.filter { member in
      name(of: member).map { fill.tensors[$0] != nil } ?? false
    }
    let copy = try ZipCopy(of: archive, replacing: members)
    var contents = PatchedCopy(of: copy.contents)
    for member in members {
      guard let entry = name(of: member).flatMap({ fill.tensors[$0] }) else { continue }
      let header = try header(of: member, in: archive)
      contents.replace(
        at: copy.range(of: member).lowerBound + header.length, with: try entry.stored(as: header))
    }
    let patched = contents
    var filled = FilledFiles(fill.template.name) { sink in
      // The headers stay, and get a new CRC-32.
      for member in members { try archive.verify(member) }
      try await copy.write(to: sink) { try await patched.write(to: $0, threads: fill.threads) }
    }
    filled.losses = fill.lostMetadata(where: "npz has")
    return filled
  }
}
