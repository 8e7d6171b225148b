import TensorCore

/// What a stored type of numbers is to us.
struct HDF5Element {
  /// How the bytes in the file become those of memory.
  enum Form: Hashable {
    /// They are the same.
    case asRead
    /// In each word of so many bytes they stand in the other order.
    case swapped(Int)
    /// By the library.
    case converted
  }

  let dtype: DType
  let form: Form

  /// Recognises a type; `nil` for text, references, records and other kinds.
  ///
  /// `named` is the dataset's attribute `dtype`, which says what opaque bytes are.
  init?(_ type: HDF5Datatype, named: String?) {
    let size = type.size
    switch type.kind {
    case .integer(let layout):
      guard let dtype = Self.integer(size, isSigned: layout.isSigned) else { return nil }
      // Swapping the bytes of narrower integers, libhdf5 1.10.8 forgets to extend their sign.
      guard layout.isWhole || !layout.isBig else { return nil }
      self.dtype = dtype
      form = layout.isWhole ? Self.form(size, isBig: layout.isBig) : .converted
    case .float(let layout?, let isBig):
      guard let dtype = layout.dtype else { return nil }
      self.dtype = dtype
      form = Self.form(size, isBig: isBig)
    case .named(isBoolean: true): (dtype, form) = (.bool, .asRead)
    case .complex(let layout, let isBig, let isPacked):
      switch layout.dtype {
      case .float32: dtype = .complex64
      case .float64: dtype = .complex128
      default: return nil
      }
      form = isPacked ? Self.form(layout.size, isBig: isBig) : .converted
    case .opaque:
      // Keras' older files and h5py with ml_dtypes give bfloat16 no name at all.
      let known = named.map { DType(named: $0) } ?? (size == 2 ? .bfloat16 : nil)
      guard let known, known.isComputable, known.byteWidth == size else { return nil }
      (dtype, form) = (known, .asRead)
    default: return nil
    }
  }

  private static func form(_ width: Int, isBig: Bool) -> Form {
    isBig && width > 1 ? .swapped(width) : .asRead
  }

  private static func integer(_ size: Int, isSigned: Bool) -> DType? {
    switch size {
    case 1: isSigned ? .int8 : .uint8
    case 2: isSigned ? .int16 : .uint16
    case 4: isSigned ? .int32 : .uint32
    case 8: isSigned ? .int64 : .uint64
    default: nil
    }
  }

  /// What a note says of a type that is no element of a tensor.
  static func text(_ type: HDF5Datatype) -> String {
    switch type.kind {
    case .text, .variableText: "text"
    case .named: "enumerated values"
    case .opaque: "opaque elements of \(type.size) bytes without a known `dtype`"
    case .complex: "records"
    case .other(let text): text
    case .integer, .float: "numbers of an unusual layout (\(type.size) bytes)"
    }
  }
}
