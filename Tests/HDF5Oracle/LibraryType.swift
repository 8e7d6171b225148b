import CHDF5
import HDF5
import TensorCore

/// Element types as libhdf5 describes them.
enum LibraryType {
  /// The dtype that a stored type maps to.
  struct Element {
    let dtype: DType
    /// Whether the stored bytes equal those in memory; if not, the library converts.
    let isStoredAsRead: Bool
  }

  /// Recognizes a stored type; `nil` for text, references, compound, and other classes.
  ///
  /// `named` is the dataset's attribute `dtype`, which names the type of opaque elements.
  static func element(_ type: hid_t, named: String?) -> Element? {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER: return integer(type, size: size)
    case H5T_FLOAT: return float(type, size: size)
    case H5T_ENUM:
      if isBoolean(type) { return Element(dtype: .bool, isStoredAsRead: true) }
      guard let base = try? HDF5Handle("base", H5Tget_super(type), closedBy: H5Tclose) else {
        return nil
      }
      return wholeInteger(base.id, size: size)
    case H5T_BITFIELD: return wholeInteger(type, size: size)
    case H5T_COMPOUND: return complex(type)
    case H5T_OPAQUE:
      // Older Keras files and h5py with ml_dtypes store bfloat16 as 2 opaque bytes without a name.
      let dtype = named.map { DType(named: $0) } ?? (size == 2 ? .bfloat16 : nil)
      guard let dtype, dtype.isComputable, dtype.byteWidth == size else { return nil }
      return Element(dtype: dtype, isStoredAsRead: true)
    default: return nil
    }
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
    // libhdf5 1.10.8 does not sign-extend big-endian integers narrower than their bytes.
    guard isWhole || isLittle else { return nil }
    return Element(dtype: dtype, isStoredAsRead: isWhole && (isLittle || size == 1))
  }

  /// An integer that fills its bytes.
  private static func wholeInteger(_ type: hid_t, size: Int) -> Element? {
    guard H5Tget_precision(type) == 8 * size, H5Tget_offset(type) == 0 else { return nil }
    return integer(type, size: size)
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
