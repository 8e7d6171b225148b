internal import CHDF5
import TensorCore

/// The HDF5 datatypes that we write for each dtype.
///
/// Integers and IEEE floats are the library's own; bool is h5py's ENUM{FALSE, TRUE} over int8 and
/// complex its COMPOUND{r, i} (h5py 3.16 `h5t.pyx`). bfloat16 is a true float type, so that h5py
/// and h5dump show numbers. torch's float8 types have no infinities, which an HDF5 float type cannot
/// express: they are one opaque byte, named by the dataset's attribute `dtype`, as in Keras 3.
enum HDF5Types {
  // MARK: - Writing

  /// The datatype that represents `dtype` both in files that we write and in memory.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for dtypes that HDF5 cannot represent.
  static func type(_ dtype: DType) throws(CheckpointError) -> HDF5Handle {
    switch dtype {
    case .uint8: try copy(H5T_STD_U8LE)
    case .int8: try copy(H5T_STD_I8LE)
    case .int16: try copy(H5T_STD_I16LE)
    case .uint16: try copy(H5T_STD_U16LE)
    case .int32: try copy(H5T_STD_I32LE)
    case .uint32: try copy(H5T_STD_U32LE)
    case .int64: try copy(H5T_STD_I64LE)
    case .uint64: try copy(H5T_STD_U64LE)
    case .float32: try copy(H5T_IEEE_F32LE)
    case .float64: try copy(H5T_IEEE_F64LE)
    case .float16, .bfloat16: try shortFloat(dtype)
    case .bool: try boolean()
    case .complex64: try complex(of: H5T_IEEE_F32LE, size: 4)
    case .complex128: try complex(of: H5T_IEEE_F64LE, size: 8)
    case .float8e4m3, .float8e5m2, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz:
      try HDF5Handle("opaque type", H5Tcreate(H5T_OPAQUE, 1), closedBy: H5Tclose)
    default: throw CheckpointError(.unsupported, "hdf5 has no element type \(dtype.rawValue)")
    }
  }

  static func copy(_ type: hid_t) throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle("type", H5Tcopy(type), closedBy: H5Tclose)
  }

  /// A 16-bit float, made by rearranging the bit fields of float32.
  private static func shortFloat(_ dtype: DType) throws(CheckpointError) -> HDF5Handle {
    let type = try copy(H5T_IEEE_F32LE)
    guard let layout = HDF5FloatLayout(dtype) else { return type }
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

  private static func complex(of part: hid_t, size: Int) throws(CheckpointError) -> HDF5Handle {
    let type = try HDF5Handle(
      "compound type", H5Tcreate(H5T_COMPOUND, 2 * size), closedBy: H5Tclose)
    try checked("compound member", unsafe H5Tinsert(type.id, "r", 0, part))
    try checked("compound member", unsafe H5Tinsert(type.id, "i", size, part))
    return type
  }
}
