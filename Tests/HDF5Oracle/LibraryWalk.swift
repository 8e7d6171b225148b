import CHDF5
package import HDF5
package import TensorCore

/// Builds a file's table with libhdf5, for tests to compare with ours.
///
/// Links to other files are named in a note and never followed, a group that contains itself is
/// entered once, and both the depth and the number of objects are bounded.
package struct LibraryWalk {
  /// Deepest nesting of groups.
  private static let depthLimit = 128

  private var table = HDF5Table()
  private let fileSize: Int
  private let linkAccess: hid_t
  private var objectCount = 0
  /// Addresses of the groups from the root to the current one.
  private var trail: [UInt64] = []

  private init(fileSize: Int, linkAccess: hid_t) {
    self.fileSize = fileSize
    self.linkAccess = linkAccess
  }

  private static let version = HDF5Library.version

  /// Opens a file in the library and walks all of it.
  package static func table(path: String, fileSize: Int) throws(CheckpointError) -> HDF5Table {
    _ = version  // asked for outside the lock, which is not recursive
    return try HDF5Library.locked { () throws(CheckpointError) in
      let file = try HDF5Handle(
        "open", unsafe H5Fopen(path, H5F_ACC_RDONLY, hid_t(H5P_DEFAULT)), closedBy: H5Fclose)
      return try table(of: file.id, fileSize: fileSize)
    }
  }

  private static func table(of file: hid_t, fileSize: Int) throws(CheckpointError) -> HDF5Table {
    let linkAccess = try HDF5Handle.properties(H5P_LINK_ACCESS)
    // A soft link may lead through an external one; this refuses that step.
    try checked(
      "link access", unsafe H5Pset_elink_cb(linkAccess.id, { _, _, _, _, _, _, _ in -1 }, nil))
    let root = try HDF5Handle(
      "root group", unsafe H5Gopen2(file, "/", hid_t(H5P_DEFAULT)), closedBy: H5Gclose)
    var walk = LibraryWalk(fileSize: fileSize, linkAccess: linkAccess.id)
    try walk.enter(root, path: [])
    return walk.table
  }

  private func info(_ object: hid_t) throws(CheckpointError) -> H5O_info_t {
    var info = H5O_info_t()
    try checked(
      "object header",
      unsafe H5Oget_info2(object, &info, UInt32(H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS)))
    return info
  }

  private mutating func enter(
    _ group: borrowing HDF5Handle, path: [String]
  ) throws(CheckpointError) {
    let info = try info(group.id)
    if trail.contains(UInt64(info.addr)) {
      return note(path, "is a group that contains itself; not entered again")
    }
    guard trail.count < Self.depthLimit else {
      throw CheckpointError(
        .unsupported, "groups are nested deeper than \(Self.depthLimit), at \(Self.text(path))")
    }
    trail.append(UInt64(info.addr))
    defer { trail.removeLast() }
    let attributes = info.num_attrs > 0 ? try LibraryAttributes.all(of: group.id) : []
    table.groups.append(.init(path: path, attributes: attributes))
    var subgroups: [LibraryGroup.Link] = []
    for link in try LibraryGroup.links(of: group.id) {
      guard let name = link.name else {
        throw CheckpointError(.malformed, "a link name in \(Self.text(path)) is not UTF-8")
      }
      objectCount += 1
      guard objectCount <= LibraryGroup.objectLimit else {
        throw CheckpointError(
          .unsupported, "file has more than \(LibraryGroup.objectLimit) objects")
      }
      switch link.kind {
      case H5L_TYPE_HARD, H5L_TYPE_SOFT:
        if try meet(link, name, in: group.id, path: path + [name]) { subgroups.append(link) }
      case H5L_TYPE_EXTERNAL: note(path + [name], "links to another file; not followed")
      default: note(path + [name], "is a user-defined link; not followed")
      }
    }
    for link in subgroups {
      let path = path + [link.name ?? ""]
      let subgroup = try open(link, link.name ?? "", in: group.id, path: path)
      try enter(subgroup, path: path)
    }
  }

  /// Adds the object that a link leads to to the table if it is a dataset; returns true if it is a
  /// group, which the caller enters later.
  private mutating func meet(
    _ link: LibraryGroup.Link, _ name: String, in group: hid_t, path: [String]
  ) throws(CheckpointError) -> Bool {
    let object: HDF5Handle
    do {
      object = try open(link, name, in: group, path: path)
    } catch  where link.kind == H5L_TYPE_SOFT {
      note(path, "is a soft link whose target is not in this file")
      return false
    }
    let info = try info(object.id)
    switch info.type {
    case H5O_TYPE_GROUP: return true
    case H5O_TYPE_DATASET:
      do {
        let attributes = info.num_attrs > 0 ? try LibraryAttributes.all(of: object.id) : []
        let found = try LibraryDataset.describe(
          object.id, path: path, address: UInt64(info.addr), attributes: attributes,
          fileSize: fileSize)
        switch found {
        case .tensor(let dataset): table.datasets.append(dataset)
        case .other(let what): note(path, what)
        }
      } catch {
        throw error.adding(tensor: Self.text(path))
      }
    default: note(path, "is neither a group nor a dataset")
    }
    return false
  }

  /// Opens the object that a link leads to, by address if it is known: looking up a name takes as
  /// long as opening the object.
  private func open(
    _ link: LibraryGroup.Link, _ name: String, in group: hid_t, path: [String]
  ) throws(CheckpointError) -> HDF5Handle {
    do {
      if let address = link.address {
        return try HDF5Handle(
          Self.text(path), H5Oopen_by_addr(group, address), closedBy: H5Oclose)
      }
      return try HDF5Handle(
        Self.text(path), unsafe H5Oopen(group, name, linkAccess), closedBy: H5Oclose)
    } catch  where error.message.contains("bad version number") {
      throw CheckpointError(
        .unsupported, "\(error.message); HDF5 \(Self.version) is too old for this object")
    }
  }

  private mutating func note(_ path: [String], _ what: String) {
    table.notes.append("\(Self.text(path)) \(what)")
  }

  private static func text(_ path: [String]) -> String { "/" + path.joined(separator: "/") }
}
