import CHDF5
import HDF5
import TensorCore

/// One open dataset as libhdf5 describes it.
enum LibraryDataset {
  /// Largest chunk that is decoded, in bytes.
  static let chunkLimit = 1 << 30

  /// A dataset is either a tensor, or left out with a note.
  enum Found {
    case tensor(HDF5Table.Dataset)
    case other(String)
  }

  /// Describes an open dataset without reading its elements.
  static func describe(
    _ dataset: hid_t, path: [String], address: UInt64, attributes: [HDF5Attribute], fileSize: Int
  ) throws(CheckpointError) -> Found {
    // Only contiguous datasets whose bytes are in this file have an offset. Most are, and reading
    // the creation properties takes as long as everything else together.
    let offset = H5Dget_offset(dataset)
    if offset != HADDR_UNDEF {
      return try describe(dataset, path: path, address: address, attributes: attributes) {
        element, info throws(CheckpointError) in
        (try contiguous(offset, element, info, fileSize: fileSize), [])
      }
    }
    let properties = try HDF5Handle(
      "dataset properties", H5Dget_create_plist(dataset), closedBy: H5Pclose)
    let layout = H5Pget_layout(properties.id)
    let id = properties.id
    return try describe(dataset, path: path, address: address, attributes: attributes) {
      element, info throws(CheckpointError) in
      let filters = try filters(of: id)
      return (try storage(id, layout, element, info, filters: filters), filters)
    }
  }

  private static func describe(
    _ dataset: hid_t, path: [String], address: UInt64, attributes: [HDF5Attribute],
    _ storage: (LibraryType.Element, TensorInfo) throws(CheckpointError) -> (
      HDF5Table.Storage, [HDF5Table.Filter]
    )
  ) throws(CheckpointError) -> Found {
    let type = try HDF5Handle("dataset type", H5Dget_type(dataset), closedBy: H5Tclose)
    guard let element = LibraryType.element(type.id, named: attributes.elementName) else {
      return .other("holds \(kind(of: type.id)); left out")
    }
    let space = try HDF5Handle("dataset shape", H5Dget_space(dataset), closedBy: H5Sclose)
    guard let shape = try HDF5Space.shape(space.id) else {
      return .other("has neither elements nor a shape (null dataspace); left out")
    }
    let info = try TensorInfo(dtype: element.dtype, shape: shape)
    let (storage, filters) = try storage(element, info)
    return .tensor(
      .init(
        path: path, address: address, info: info, storage: storage, filters: filters,
        attributes: attributes))
  }

  private static func contiguous(
    _ offset: haddr_t, _ element: LibraryType.Element, _ info: TensorInfo, fileSize: Int
  ) throws(CheckpointError) -> HDF5Table.Storage {
    guard element.isStoredAsRead else {
      return .library(chunk: [Int](repeating: 1, count: info.shape.count))
    }
    guard let offset = Int(exactly: offset), offset <= fileSize,
      info.byteCount <= fileSize - offset
    else {
      throw CheckpointError(
        .malformed, "expected \(info.byteCount) bytes at \(offset), but the file has \(fileSize)",
        offset: Int(exactly: offset))
    }
    return .plain(offset: offset)
  }

  private static func storage(
    _ properties: hid_t, _ layout: H5D_layout_t, _ element: LibraryType.Element,
    _ info: TensorInfo, filters: [HDF5Table.Filter]
  ) throws(CheckpointError) -> HDF5Table.Storage {
    if H5Pget_external_count(properties) != 0 {
      return .refused("its bytes are in other files (external storage), which are not opened")
    }
    let whole = [Int](repeating: 1, count: info.shape.count)
    switch layout {
    case H5D_CONTIGUOUS, H5D_COMPACT: return .library(chunk: whole)
    case H5D_CHUNKED:
      for filter in filters where H5Zfilter_avail(Int32(filter.number)) <= 0 {
        return .refused(
          "filter \(filter.number) (\(filter.name)) is not supported; "
            + "write the file again with gzip or without a filter")
      }
      var sizes = [hsize_t](repeating: 1, count: max(info.shape.count, 1))
      try checked("chunk shape", unsafe H5Pget_chunk(properties, Int32(info.shape.count), &sizes))
      let chunk = sizes.prefix(info.shape.count).map { Int(clamping: $0) }
      guard let bytes = try? TensorInfo(dtype: info.dtype, shape: chunk).byteCount,
        bytes <= chunkLimit
      else { return .refused("chunks of shape \(chunk) have more than \(chunkLimit) bytes") }
      return bytes > 0 ? .library(chunk: chunk) : .refused("chunks have 0 bytes")
    case H5D_VIRTUAL:
      return .refused("is a virtual dataset: its bytes are in other files, which are not opened")
    default: throw CheckpointError(.unsupported, "storage layout \(layout.rawValue) is unknown")
    }
  }

  private static func filters(of properties: hid_t) throws(CheckpointError) -> [HDF5Table.Filter] {
    var filters: [HDF5Table.Filter] = []
    let count = try checked("filters", H5Pget_nfilters(properties))
    for index in 0..<UInt32(count) {
      var values = [UInt32](repeating: 0, count: 64)
      var (flags, valueCount, configuration) = (UInt32(0), values.count, UInt32(0))
      var name = [CChar](repeating: 0, count: 64)
      let number = try checked(
        "filter",
        unsafe H5Pget_filter2(
          properties, index, &flags, &valueCount, &values, name.count - 1, &name,
          &configuration))
      let given = String(
        decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      filters.append(
        .init(
          number: Int(number), name: HDF5Filters.known[Int(number)] ?? given,
          values: values.prefix(valueCount).map(Int.init)))
    }
    return filters
  }

  private static func kind(of type: hid_t) -> String {
    switch H5Tget_class(type) {
    case H5T_STRING: "text"
    case H5T_COMPOUND: "compound values"
    case H5T_REFERENCE: "references"
    case H5T_ENUM: "enumerated values"
    case H5T_VLEN: "variable-length sequences"
    case H5T_ARRAY: "arrays"
    case H5T_OPAQUE: "opaque elements of \(H5Tget_size(type)) bytes without a known `dtype`"
    case H5T_BITFIELD: "bit fields"
    case H5T_TIME: "times"
    default: "numbers of an unusual layout (\(H5Tget_size(type)) bytes)"
    }
  }
}
