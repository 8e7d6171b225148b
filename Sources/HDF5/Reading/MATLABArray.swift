import TensorCore

/// What MATLAB (version 7.3 files) and Octave say about their arrays in attributes.
///
/// Source: MATLAB's MAT-file documentation, and `matfile.c` of matio 1.5: an empty array is stored as
/// the vector of its sizes, marked by `MATLAB_empty`.
package enum MATLABArray {
  /// The program that wrote a file, if it is one whose axes are in column-major order.
  package static func writer(of table: HDF5Table) -> String? {
    let objects = table.datasets.lazy.map(\.attributes) + table.groups.lazy.map(\.attributes)
    for attributes in objects {
      if attributes.value("MATLAB_class") != nil { return "MATLAB" }
      if attributes.value("OCTAVE_NEW_FORMAT") != nil { return "Octave" }
    }
    return nil
  }

  /// Whether a dataset stands for an array without elements.
  static func isEmpty(_ attributes: [HDF5Attribute]) -> Bool {
    switch attributes.value("MATLAB_empty") {
    case .integer(let flag): flag != 0
    case .integers(let flags): flags == [1]
    default: false
    }
  }

  /// The array without elements, its axes in HDF5's order, or a note for a class that is not numbers.
  static func empty(
    _ header: HDF5ObjectHeader, _ layout: HDF5DataLayout, _ type: HDF5Datatype, _ shape: [Int],
    _ attributes: [HDF5Attribute], _ path: () -> [String], _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5DatasetReader.Found {
    var name = "array"
    if case .text(let text)? = attributes.value("MATLAB_class") { name = text }
    guard let dtype = dtypes[name] else {
      return .value(HDF5Attribute("", .other("an empty MATLAB \(name)")), attributes)
    }
    guard let sizes = try sizes(layout, type, shape, metadata) else {
      throw CheckpointError(.malformed, "expected the sizes of an empty MATLAB array")
    }
    return .tensor(
      HDF5Table.Dataset(
        path: path(), address: header.address,
        info: try TensorInfo(dtype: dtype, shape: sizes.reversed()), storage: .unwritten,
        filters: [], attributes: attributes))
  }

  private static let dtypes: [String: DType] = [
    "double": .float64, "single": .float32, "int8": .int8, "uint8": .uint8, "int16": .int16,
    "uint16": .uint16, "int32": .int32, "uint32": .uint32, "int64": .int64, "uint64": .uint64,
    "logical": .uint8, "char": .uint16,
  ]

  /// The sizes in MATLAB's order, at least one of them 0; `nil` if the dataset does not hold any.
  private static func sizes(
    _ layout: HDF5DataLayout, _ type: HDF5Datatype, _ shape: [Int], _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [Int]? {
    guard case .integer(let integer) = type.kind, type.size <= 8, shape.count == 1,
      (1...HDF5Space.maximumRank).contains(shape[0])
    else { return nil }
    var body: HDF5Cursor
    switch layout {
    case .compact(let bytes): body = bytes
    case .contiguous(let address?):
      body = try metadata.cursor(at: address, count: shape[0] * type.size)
    case .contiguous(nil), .chunked, .virtual: return nil
    }
    var sizes: [Int] = []
    for _ in 0..<shape[0] { sizes.append(integer.value(try body.bytes(type.size))) }
    return sizes.contains(0) ? sizes : nil
  }
}
