import ByteIO
import TensorCore

/// Walks the groups of a file and builds its table.
///
/// Links to other files are named in a note and never followed, a group that contains itself is
/// entered once, and both the depth and the number of objects are bounded.
struct HDF5Walker {
  /// Deepest nesting of groups.
  private static let depthLimit = 128
  /// Largest number of soft links that one path may lead through, as in the library.
  private static let softLinkLimit = 16

  private var table = HDF5Table()
  private let metadata: HDF5Metadata
  /// Addresses of the groups from the root to the current one.
  private var trail: [UInt64] = []
  /// The links, by name, of the group in which a soft link was looked up last.
  private var lookedUp: (address: UInt64, links: [TensorName: HDF5Link.Target])?

  private init(_ metadata: HDF5Metadata) {
    self.metadata = metadata
  }

  /// Walks a whole file.
  static func table(
    of input: ByteSource, _ superblock: HDF5Superblock
  ) throws(CheckpointError) -> HDF5Table {
    var walker = HDF5Walker(HDF5Metadata(input, superblock))
    try walker.enter(try HDF5ObjectHeader(superblock.root, in: walker.metadata), path: [])
    return walker.table
  }

  /// Adds a group, its datasets, and then its subgroups to the table.
  private mutating func enter(
    _ header: HDF5ObjectHeader, path: [String]
  ) throws(CheckpointError) {
    if trail.contains(header.address) {
      return note(path, "is a group that contains itself; not entered again")
    }
    guard trail.count < Self.depthLimit else {
      throw CheckpointError(
        .unsupported, "groups are nested deeper than \(Self.depthLimit), at \(Self.text(path))")
    }
    trail.append(header.address)
    defer { trail.removeLast() }
    table.groups.append(
      .init(path: path, attributes: try HDF5StoredAttributes.all(of: header, in: metadata)))
    var subgroups: [(name: String, address: UInt64)] = []
    for link in try HDF5GroupLinks.all(of: header, in: metadata) {
      guard let name = link.name else {
        throw CheckpointError(.malformed, "a link name in \(Self.text(path)) is not UTF-8")
      }
      try metadata.chargeObject()
      switch link.target {
      case .object(let address):
        if try meet(address, name, in: path) { subgroups.append((name, address)) }
      case .path(let target):
        var linkCount = 0
        if let address = try resolve(target, from: header.address, &linkCount) {
          if try meet(address, name, in: path) { subgroups.append((name, address)) }
        } else {
          note(path + [name], "is a soft link whose target is not in this file")
        }
      case .otherFile: note(path + [name], "links to another file; not followed")
      case .userDefined: note(path + [name], "is a user-defined link; not followed")
      }
    }
    for (name, address) in subgroups {
      do throws(CheckpointError) {
        try enter(try HDF5ObjectHeader(address, in: metadata), path: path + [name])
      } catch {
        guard Rescue.current != nil else { throw error }
        try Rescue.leaveOut(error.adding(tensor: Self.text(path + [name])))
      }
    }
  }

  /// Adds the object at an address to the table if it is a dataset; returns true if it is a group,
  /// which the caller enters later.
  private mutating func meet(
    _ address: UInt64, _ name: String, in path: [String]
  ) throws(CheckpointError) -> Bool {
    do throws(CheckpointError) {
      let header = try HDF5ObjectHeader(address, in: metadata)
      if HDF5GroupLinks.isGroup(header) { return true }
      if HDF5DatasetReader.isDataset(header) {
        let (metadata, root) = (metadata, metadata.superblock.root)
        let found = try HDF5DatasetReader.describe(
          header, path: { path + [name] }, in: metadata
        ) { target throws(CheckpointError) in
          var linkCount = 0
          return try resolve(target, from: root, &linkCount)
        }
        switch found {
        case .tensor(let dataset): table.datasets.append(dataset)
        case .value(let content, let attributes, let packed):
          if case .other(let what) = content.value, packed == nil {
            note(path + [name], "holds \(what); left out")
          }
          var other = HDF5Table.Other(
            path: path + [name], content: content, attributes: attributes)
          other.packed = packed
          table.others.append(other)
        }
      } else if header.has(.datatype) {
        note(path + [name], "is neither a group nor a dataset")
      } else {
        throw CheckpointError(
          .malformed, "is neither a group, a dataset, nor a datatype",
          offset: try metadata.offset(of: address))
      }
    } catch {
      try Rescue.leaveOut(error.adding(tensor: Self.text(path + [name])))
    }
    return false
  }

  /// The address of the object at a path, absolute or relative to a group; `nil` if there is no such
  /// object in this file.
  private mutating func resolve(
    _ path: String, from group: UInt64, _ linkCount: inout Int
  ) throws(CheckpointError) -> UInt64? {
    linkCount += 1
    guard linkCount <= Self.softLinkLimit, !path.isEmpty else { return nil }
    var address = path.utf8.first == UInt8(ascii: "/") ? metadata.superblock.root : group
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
      let name = String(Substring(part))
      // HDF5 gives no meaning to "..", which is an ordinary name.
      if name == "." { continue }
      switch try links(of: address)[TensorName(name)] {
      case .object(let next)?: address = next
      case .path(let path)?:
        // A soft link is relative to the group that holds it, not to the one where the path began.
        guard let next = try resolve(path, from: address, &linkCount) else { return nil }
        address = next
      case .otherFile?, .userDefined?, nil: return nil
      }
    }
    return address
  }

  /// The links of a group by name; empty for an object that is not a group.
  private mutating func links(
    of address: UInt64
  ) throws(CheckpointError) -> [TensorName: HDF5Link.Target] {
    if let lookedUp, lookedUp.address == address { return lookedUp.links }
    let header = try HDF5ObjectHeader(address, in: metadata)
    var links: [TensorName: HDF5Link.Target] = [:]
    for link in try HDF5GroupLinks.all(of: header, in: metadata) {
      if let name = link.name { links[TensorName(name)] = link.target }
    }
    lookedUp = (address, links)
    return links
  }

  private mutating func note(_ path: [String], _ what: String) {
    table.notes.append("\(Self.text(path)) \(what)")
  }

  private static func text(_ path: [String]) -> String { "/" + path.joined(separator: "/") }
}
