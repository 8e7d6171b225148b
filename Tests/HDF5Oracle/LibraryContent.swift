import CHDF5
import HDF5
package import TensorCore

/// Everything that libhdf5 finds in a file, for tests to compare with what it finds in another: types,
/// shapes, creation properties (layouts, filters, fill values), attributes, links, and elements.
package struct LibraryContent {
  /// A text for each object and each attribute, by path: `/a`, `/a@unit`, and `/a = ` for elements.
  package private(set) var facts: [String: String] = [:]

  /// Opens a file in the library and visits all of it.
  package init(path: String) throws(CheckpointError) {
    facts = try HDF5Library.locked { () throws(CheckpointError) in
      let file = try HDF5Handle(
        "open", unsafe H5Fopen(path, H5F_ACC_RDONLY, hid_t(H5P_DEFAULT)), closedBy: H5Fclose)
      let root = try HDF5Handle(
        "root group", unsafe H5Gopen2(file.id, "/", hid_t(H5P_DEFAULT)), closedBy: H5Gclose)
      var content = LibraryContent()
      try content.visit(root, "")
      return content.facts
    }
  }

  private init() {}

  /// `H5O_INFO_ALL`, which Swift cannot import.
  private static let everything = UInt32(
    H5O_INFO_BASIC | H5O_INFO_TIME | H5O_INFO_NUM_ATTRS | H5O_INFO_HDR | H5O_INFO_META_SIZE)

  private mutating func visit(
    _ object: borrowing HDF5Handle, _ path: String
  ) throws(CheckpointError) {
    var info = H5O_info_t()
    try checked("object", unsafe H5Oget_info2(object.id, &info, Self.everything))
    let times = "\(info.atime) \(info.mtime) \(info.ctime) \(info.btime)"
    facts[path] = "type \(info.type.rawValue) at \(info.addr), \(info.rc) links, times \(times)"
    try visitAttributes(of: object, path)
    switch info.type {
    case H5O_TYPE_GROUP:
      for (number, link) in try LibraryGroup.links(of: object.id).enumerated() {
        let name = "\(path)/\(link.name ?? "?")"
        facts[name + " link"] = "number \(number), kind \(link.kind.rawValue)"
        guard link.kind == H5L_TYPE_HARD else { continue }
        let child = try HDF5Handle(
          "object", unsafe H5Oopen(object.id, link.name ?? "", hid_t(H5P_DEFAULT)),
          closedBy: H5Oclose)
        try visit(child, name)
      }
    case H5O_TYPE_DATASET:
      let type = try HDF5Handle("type", H5Dget_type(object.id), closedBy: H5Tclose)
      let space = try HDF5Handle("shape", H5Dget_space(object.id), closedBy: H5Sclose)
      let properties = try HDF5Handle(
        "properties", H5Dget_create_plist(object.id), closedBy: H5Pclose)
      facts[path + " type"] = try unsafe Self.encoded { unsafe H5Tencode(type.id, $0, $1) }
      facts[path + " shape"] = try unsafe Self.encoded { unsafe H5Sencode(space.id, $0, $1) }
      facts[path + " properties"] = try unsafe Self.encoded {
        unsafe H5Pencode(properties.id, $0, $1)
      }
      facts[path + " = "] = try unsafe Self.elements(type.id, space.id) {
        unsafe H5Dread(object.id, type.id, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT), $0)
      }
    default: break
    }
  }

  private mutating func visitAttributes(
    of object: borrowing HDF5Handle, _ path: String
  ) throws(CheckpointError) {
    for number in 0..<(try checked("attributes", H5Aget_num_attrs(object.id))) {
      let attribute = try HDF5Handle(
        "attribute", H5Aopen_idx(object.id, UInt32(number)), closedBy: H5Aclose)
      var name = [CChar](repeating: 0, count: 1024)
      try checked("name", unsafe H5Aget_name(attribute.id, name.count, &name))
      let type = try HDF5Handle("type", H5Aget_type(attribute.id), closedBy: H5Tclose)
      let space = try HDF5Handle("shape", H5Aget_space(attribute.id), closedBy: H5Sclose)
      let label = String(
        decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      facts["\(path)@\(label)"] =
        try unsafe Self.encoded { unsafe H5Tencode(type.id, $0, $1) }
      facts["\(path)@\(label)"]? += try unsafe Self.encoded { unsafe H5Sencode(space.id, $0, $1) }
      facts["\(path)@\(label)"]? += try unsafe Self.elements(type.id, space.id) {
        unsafe H5Aread(attribute.id, type.id, $0)
      }
    }
  }

  /// What a function of the library encodes, which is first asked for the size.
  private static func encoded(
    _ encode: (UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>) -> herr_t
  ) throws(CheckpointError) -> String {
    var size = 0
    try checked("encode", unsafe encode(nil, &size))
    var bytes = [UInt8](repeating: 0, count: size)
    try checked("encode", unsafe encode(&bytes, &size))
    return "\(bytes) "
  }

  /// The elements that `read` puts into memory, as text without addresses in memory.
  private static func elements(
    _ type: hid_t, _ space: hid_t, _ read: (UnsafeMutableRawPointer?) -> herr_t
  ) throws(CheckpointError) -> String {
    let count = H5Sget_simple_extent_npoints(space)
    if count <= 0 { return "none" }
    let size = H5Tget_size(type)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(count) * size, alignment: 16)
    defer { unsafe bytes.deallocate() }
    try checked("read", unsafe read(bytes.baseAddress))
    var text: [String] = []
    for index in 0..<Int(count) {
      text.append(
        try unsafe value(
          type, UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size])))
    }
    _ = unsafe H5Dvlen_reclaim(type, space, hid_t(H5P_DEFAULT), bytes.baseAddress)
    return text.joined(separator: " ")
  }

  private static func value(
    _ type: hid_t, _ bytes: UnsafeRawBufferPointer
  ) throws(CheckpointError) -> String {
    switch H5Tget_class(type) {
    case H5T_STRING where H5Tis_variable_str(type) > 0:
      guard let text = unsafe bytes.load(as: UnsafePointer<CChar>?.self) else { return "null" }
      return unsafe String(cString: text)
    case H5T_VLEN:
      let base = try HDF5Handle("type", H5Tget_super(type), closedBy: H5Tclose)
      let size = H5Tget_size(base.id)
      let list = unsafe bytes.load(as: hvl_t.self)
      var text: [String] = []
      for index in 0..<(unsafe list.len) {
        guard let start = unsafe list.p else { break }
        text.append(
          try unsafe value(
            base.id, UnsafeRawBufferPointer(start: start + index * size, count: size)))
      }
      return "\(text)"
    case H5T_COMPOUND:
      var text: [String] = []
      for index in 0..<UInt32(H5Tget_nmembers(type)) {
        let member = try HDF5Handle("type", H5Tget_member_type(type, index), closedBy: H5Tclose)
        let start = H5Tget_member_offset(type, index)
        let part = unsafe UnsafeRawBufferPointer(
          rebasing: bytes[start..<start + H5Tget_size(member.id)])
        text.append(try unsafe value(member.id, part))
      }
      return "\(text)"
    default: return unsafe "\(Array(bytes))"
    }
  }
}
