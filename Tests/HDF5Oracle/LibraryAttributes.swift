import CHDF5
import HDF5
import TensorCore

/// The attributes of an open group or dataset as libhdf5 reads them.
enum LibraryAttributes {
  /// Largest size in bytes of an attribute that is read.
  private static let limit = 1 << 28

  /// Every attribute of an object, sorted by name.
  static func all(of object: hid_t) throws(CheckpointError) -> [HDF5Attribute] {
    var names: [String?] = []
    let status = unsafe withUnsafeMutablePointer(to: &names) { target in
      unsafe H5Aiterate2(
        object, H5_INDEX_NAME, H5_ITER_INC, nil,
        { _, name, _, target in
          guard let name = unsafe name, let target = unsafe target else { return -1 }
          unsafe target.assumingMemoryBound(to: [String?].self).pointee
            .append(String(validatingCString: name))
          return 0
        }, target)
    }
    try checked("attributes", status)
    var attributes: [HDF5Attribute] = []
    for name in names {
      guard let name else { throw CheckpointError(.malformed, "an attribute name is not UTF-8") }
      attributes.append(try attribute(name, on: object))
    }
    return attributes
  }

  private static func attribute(
    _ name: String, on object: hid_t
  ) throws(CheckpointError) -> HDF5Attribute {
    let what = "attribute '\(name)'"
    let attribute = try HDF5Handle(
      what, unsafe H5Aopen(object, name, hid_t(H5P_DEFAULT)), closedBy: H5Aclose)
    let type = try HDF5Handle(what, H5Aget_type(attribute.id), closedBy: H5Tclose)
    let space = try HDF5Handle(what, H5Aget_space(attribute.id), closedBy: H5Sclose)
    let shape = try HDF5Space.shape(space.id) ?? []
    return HDF5Attribute(
      name, try value(attribute.id, type.id, space.id, what), shape: shape.count > 1 ? shape : [])
  }

  /// The value; what is not read is `other` without words.
  private static func value(
    _ attribute: hid_t, _ type: hid_t, _ space: hid_t, _ what: String
  ) throws(CheckpointError) -> HDF5Value {
    let isRow: Bool
    switch H5Sget_simple_extent_type(space) {
    case H5S_SCALAR: isRow = false
    case H5S_SIMPLE: isRow = true
    default: return .none
    }
    let size = H5Tget_size(type)
    guard let count = Int(exactly: H5Sget_simple_extent_npoints(space)), count >= 0, size > 0,
      count <= limit / max(size, 8)
    else { return .other("") }
    // NumPy gives an empty list the type float64, so that of an empty attribute says nothing.
    if isRow, count == 0 { return .texts([]) }
    switch H5Tget_class(type) {
    case H5T_STRING:
      let texts =
        try H5Tis_variable_str(type) > 0
        ? variableTexts(attribute, type, space, count, what)
        : fixedTexts(attribute, type, count, size, what)
      return isRow ? .texts(texts) : .text(texts.first ?? "")
    case H5T_INTEGER:
      var numbers = [Int](repeating: 0, count: count)
      try checked(what, unsafe H5Aread(attribute, H5T_STD_I64LE, &numbers))
      if size == 8, H5Tget_sign(type) == H5T_SGN_NONE, numbers.contains(.max) { return .other("") }
      return isRow ? .integers(numbers) : .integer(numbers.first ?? 0)
    case H5T_FLOAT where size == 2 || size == 4 || size == 8:
      var numbers = [Double](repeating: 0, count: count)
      try checked(what, unsafe H5Aread(attribute, H5T_IEEE_F64LE, &numbers))
      return isRow ? .reals(numbers) : .real(numbers.first ?? 0)
    case H5T_ENUM where LibraryType.element(type, named: nil)?.dtype == .bool:
      var bytes = [Int8](repeating: 0, count: count)
      try checked(what, unsafe H5Aread(attribute, type, &bytes))
      return isRow ? .bools(bytes.map { $0 != 0 }) : .bool(bytes.first != 0)
    default: return .other("")
    }
  }

  private static func fixedTexts(
    _ attribute: hid_t, _ type: hid_t, _ count: Int, _ size: Int, _ what: String
  ) throws(CheckpointError) -> [String] {
    var bytes = [UInt8](repeating: 0, count: count * size)
    try checked(what, unsafe H5Aread(attribute, type, &bytes))
    let padding = H5Tget_strpad(type)
    return (0..<count).map { index in
      var text = bytes[(index * size)..<((index + 1) * size)]
      if padding == H5T_STR_NULLTERM {
        text = text.prefix { $0 != 0 }
      } else {
        let filler = padding == H5T_STR_SPACEPAD ? UInt8(ascii: " ") : 0
        while text.last == filler { text.removeLast() }
      }
      return String(decoding: text, as: UTF8.self)
    }
  }

  private static func variableTexts(
    _ attribute: hid_t, _ type: hid_t, _ space: hid_t, _ count: Int, _ what: String
  ) throws(CheckpointError) -> [String] {
    var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try checked(what, unsafe H5Aread(attribute, type, &pointers))
    let texts = unsafe pointers.map { pointer in
      guard let pointer = unsafe pointer else { return "" }
      return unsafe String(cString: pointer)
    }
    _ = unsafe H5Dvlen_reclaim(type, space, hid_t(H5P_DEFAULT), &pointers)
    return texts
  }
}
