internal import CHDF5
package import TensorCore

/// The HDF5 datatypes that we write for each dtype.
///
/// Integers and IEEE floats are the library's own; bool is h5py's ENUM{FALSE, TRUE} over int8 and
/// complex its COMPOUND{r, i} (h5py 3.16 `h5t.pyx`). bfloat16 is a true float type, so that h5py
/// and h5dump show numbers. torch's float8 types have no infinities, which an HDF5 float type cannot
/// express: they are one opaque byte, named by the dataset's attribute `dtype`, as in Keras 3.
package enum HDF5Types {
  // MARK: - Writing

  /// The datatype that represents `dtype` both in files that we write and in memory.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for dtypes that HDF5 cannot represent.
  static func type(_ dtype: DType) throws(CheckpointError) -> HDF5Handle {
    let width = dtype.byteWidth
    switch dtype.element.kind {
    case .boolean: return try boolean()
    case .integer(isSigned: true): return try copy(signedIntegers[width.trailingZeroBitCount])
    case .integer(isSigned: false): return try copy(unsignedIntegers[width.trailingZeroBitCount])
    case .floatingPoint:
      if isOpaque(dtype) {
        return try HDF5Handle("opaque type", H5Tcreate(H5T_OPAQUE, width), closedBy: H5Tclose)
      }
      return try float(dtype)
    case .complex(let part): return try complex(of: part)
    case .packed:
      throw CheckpointError(.unsupported, "hdf5 has no element type \(dtype.rawValue)")
    }
  }

  /// Whether elements are stored as bytes that only the dataset's attribute `dtype` names.
  package static func isOpaque(_ dtype: DType) -> Bool {
    dtype.isFloatingPoint && dtype.byteWidth == 1
  }

  private static var signedIntegers: [hid_t] {
    [H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE]
  }

  private static var unsignedIntegers: [hid_t] {
    [H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE]
  }

  static func copy(_ type: hid_t) throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle("type", H5Tcopy(type), closedBy: H5Tclose)
  }

  /// A float of the library, or one of 16 bits, made by rearranging the bit fields of float32.
  private static func float(_ dtype: DType) throws(CheckpointError) -> HDF5Handle {
    if dtype.byteWidth == 8 { return try copy(H5T_IEEE_F64LE) }
    let type = try copy(H5T_IEEE_F32LE)
    guard dtype.byteWidth < 4, let layout = HDF5FloatLayout(dtype) else { return type }
    try checked(
      "float fields",
      H5Tset_fields(
        type.id, layout.sign, layout.exponent.lowerBound, layout.exponent.count,
        layout.mantissa.lowerBound, layout.mantissa.count))
    try checked("float size", H5Tset_size(type.id, layout.size))
    try checked("float bias", H5Tset_ebias(type.id, layout.bias))
    return type
  }

  private static func boolean() throws(CheckpointError) -> HDF5Handle {
    let type = try HDF5Handle("enum type", H5Tenum_create(H5T_STD_I8LE), closedBy: H5Tclose)
    for (name, value) in [("FALSE", Int8(0)), ("TRUE", 1)] {
      try checked(
        "enum member",
        unsafe withUnsafePointer(to: value) { unsafe H5Tenum_insert(type.id, name, $0) })
    }
    return type
  }

  private static func complex(of part: DType) throws(CheckpointError) -> HDF5Handle {
    let size = part.byteWidth
    let number = try float(part)
    let type = try HDF5Handle(
      "compound type", H5Tcreate(H5T_COMPOUND, 2 * size), closedBy: H5Tclose)
    try checked("compound member", unsafe H5Tinsert(type.id, "r", 0, number.id))
    try checked("compound member", unsafe H5Tinsert(type.id, "i", size, number.id))
    return type
  }
}
