import CHDF5
import HDF5
import TensorCore

/// The links of one group, in the order in which the file has them.
struct LibraryGroup {
  /// A named link in a group.
  struct Link {
    let name: String?
    let kind: H5L_type_t
    /// Address of the object's header; hard links only.
    let address: haddr_t?
  }

  /// Largest number of objects that are visited in one file.
  static let objectLimit = 1_000_000

  /// Lists the links of an open group: in creation order if that is tracked, else by name.
  static func links(of group: hid_t) throws(CheckpointError) -> [Link] {
    let properties = try HDF5Handle("group", H5Gget_create_plist(group), closedBy: H5Pclose)
    var flags: UInt32 = 0
    try checked("link order", unsafe H5Pget_link_creation_order(properties.id, &flags))
    let isTracked = flags & UInt32(H5P_CRT_ORDER_TRACKED) != 0
    var links: [Link] = []
    let status = unsafe withUnsafeMutablePointer(to: &links) { target in
      unsafe H5Literate(
        group, isTracked ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME, H5_ITER_INC, nil,
        { _, name, info, target in
          guard let name = unsafe name, let info = unsafe info, let target = unsafe target else {
            return -1
          }
          let kind = unsafe info.pointee.type
          let link = unsafe Link(
            name: String(validatingCString: name), kind: kind,
            address: kind == H5L_TYPE_HARD ? info.pointee.u.address : nil)
          let links = unsafe target.assumingMemoryBound(to: [Link].self)
          unsafe links.pointee.append(link)
          return unsafe links.pointee.count > LibraryGroup.objectLimit ? 1 : 0
        }, target)
    }
    try checked("links", status)
    return links
  }
}
