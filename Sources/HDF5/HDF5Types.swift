internal import CHDF5
import TensorCore

/// How element types are spelled in HDF5.
///
/// Integers and IEEE floats are the library's own; bool is h5py's ENUM{FALSE, TRUE} over int8 and
/// complex its COMPOUND{r, i} (h5py 3.16 `h5t.pyx`). bfloat16 is a true float type, so that h5py
/// and h5dump show numbers. float8 has no infinities as torch spells it, which a float type cannot
/// say: it is one opaque byte, named by the dataset's attribute `dtype` as Keras 3 does it.
enum HDF5Types {
  // MARK: - Writing

  /// The type that stands for `dtype` in files that we write, and in memory.
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

  // MARK: - Reading

  /// What a stored type is to us.
  struct Element {
    let dtype: DType
    /// Whether the stored bytes are those of memory; if not, the library converts.
    let isStoredAsRead: Bool
  }

  /// Recognises a stored type; `nil` for text, references, records and other kinds.
  ///
  /// `named` is the dataset's attribute `dtype`, which says what opaque bytes are.
  static func element(_ type: hid_t, named: String?) -> Element? {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER: return integer(type, size: size)
    case H5T_FLOAT: return float(type, size: size)
    case H5T_ENUM: return isBoolean(type) ? Element(dtype: .bool, isStoredAsRead: true) : nil
    case H5T_COMPOUND: return complex(type)
    case H5T_OPAQUE:
      // Keras' older files and h5py with ml_dtypes give bfloat16 no name at all.
      let dtype = named.map { DType(named: $0) } ?? (size == 2 ? .bfloat16 : nil)
      guard let dtype, dtype.isComputable, dtype.byteWidth == size else { return nil }
      return Element(dtype: dtype, isStoredAsRead: true)
    default: return nil
    }
  }

  /// The type under which `element` is read from a dataset of type `stored`.
  static func memoryType(
    _ element: Element, stored: hid_t
  ) throws(CheckpointError) -> HDF5Handle {
    // Opaque tags and enums convert only to themselves, and equal types are not touched at all.
    element.isStoredAsRead ? try copy(stored) : try type(element.dtype)
  }

  private static func integer(_ type: hid_t, size: Int) -> Element? {
    let isSigned = H5Tget_sign(type) == H5T_SGN_2
    let dtype: DType? =
      switch size {
      case 1: isSigned ? .int8 : .uint8
      case 2: isSigned ? .int16 : .uint16
      case 4: isSigned ? .int32 : .uint32
      case 8: isSigned ? .int64 : .uint64
      default: nil
      }
    guard let dtype, let isLittle = isLittleEndian(type) else { return nil }
    let isWhole = H5Tget_precision(type) == 8 * size && H5Tget_offset(type) == 0
    // Swapping the bytes of narrower integers, libhdf5 1.10.8 forgets to extend their sign.
    guard isWhole || isLittle else { return nil }
    return Element(dtype: dtype, isStoredAsRead: isWhole && (isLittle || size == 1))
  }

  private static func float(_ type: hid_t, size: Int) -> Element? {
    var (sign, exponent, exponentSize, mantissa, mantissaSize) = (0, 0, 0, 0, 0)
    guard
      unsafe H5Tget_fields(
        type, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize) >= 0,
      let isLittle = isLittleEndian(type), H5Tget_norm(type) == H5T_NORM_IMPLIED
    else { return nil }
    let layout = HDF5FloatLayout(
      size: size, sign: sign, exponent: exponent..<(exponent + exponentSize),
      mantissa: mantissa..<(mantissa + mantissaSize), bias: H5Tget_ebias(type))
    guard let dtype = layout.dtype else { return nil }
    return Element(dtype: dtype, isStoredAsRead: isLittle || size == 1)
  }

  private static func isLittleEndian(_ type: hid_t) -> Bool? {
    switch H5Tget_order(type) {
    case H5T_ORDER_LE: true
    case H5T_ORDER_BE: false
    default: nil
    }
  }

  private static func isBoolean(_ type: hid_t) -> Bool {
    guard H5Tget_size(type) == 1, H5Tget_nmembers(type) == 2 else { return false }
    for (name, expected) in [("FALSE", Int8(0)), ("TRUE", 1)] {
      var value = Int8(-1)
      guard unsafe H5Tenum_valueof(type, name, &value) >= 0, value == expected else { return false }
    }
    return true
  }

  private static func complex(_ type: hid_t) -> Element? {
    guard H5Tget_nmembers(type) == 2 else { return nil }
    var parts: [Element] = []
    for (index, name) in [(UInt32(0), "r"), (1, "i")] {
      guard unsafe H5Tget_member_index(type, name) == Int32(index),
        let member = try? HDF5Handle("member", H5Tget_member_type(type, index), closedBy: H5Tclose),
        H5Tget_class(member.id) == H5T_FLOAT,
        let part = float(member.id, size: H5Tget_size(member.id))
      else { return nil }
      parts.append(part)
    }
    let width = parts[0].dtype.byteWidth
    let isPacked =
      H5Tget_size(type) == 2 * width && H5Tget_member_offset(type, 0) == 0
      && H5Tget_member_offset(type, 1) == width
    let isStored = isPacked && parts[0].isStoredAsRead && parts[1].isStoredAsRead
    switch (parts[0].dtype, parts[1].dtype) {
    case (.float32, .float32): return Element(dtype: .complex64, isStoredAsRead: isStored)
    case (.float64, .float64): return Element(dtype: .complex128, isStoredAsRead: isStored)
    default: return nil
    }
  }
}
