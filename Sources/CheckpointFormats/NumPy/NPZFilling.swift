import ByteIO
import TensorCore

/// Filling a copy of an archive of arrays.
extension NPZ {
  /// Decides what changes: the arrays' elements, in the order and the byte order of their headers.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let archive = try fill.template.archive
    let members = arrays(in: archive).compactMap { member, name in
      name.flatMap { name in fill.tensors[name].map { (member: member, name: name, entry: $0) } }
    }
    try fill.refuseObjects(besides: Set(members.map(\.name)))
    var copy = try ArchiveCopy(of: archive, replacing: members.map(\.member))
    for (member, name, entry) in members {
      let header = try header(of: member, named: name, in: archive)
      copy.contents.replace(
        at: copy.start(of: member) + header.length, with: try entry.stored(as: header))
      copy.keepsSome(of: member)  // its header
    }
    copy.setFingerprint(fill.fingerprint)
    let writer = copy
    var filled = FilledFiles(fill.template.name) { sink in
      try await writer.write(to: sink, threads: fill.threads)
    }
    filled.losses = fill.lostMetadata(where: "npz has")
    return filled
  }
}
