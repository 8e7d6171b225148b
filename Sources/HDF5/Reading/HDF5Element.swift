import TensorCore

/// The dtype that a stored datatype maps to, and the conversion that it needs.
struct HDF5Element {
  /// How bytes in the file become bytes in memory.
  enum Form: Hashable {
    /// Unchanged.
    case asRead
    /// By reversing the bytes of each word of this many bytes (big-endian types).
    case swapped(Int)
    /// By libhdf5.
    case converted
  }

  let dtype: DType
  let form: Form
  /// Where the bits of integers are that do not fill their bytes.
  private(set) var bits: HDF5Bits?

  /// Recognizes a datatype; `nil` for text, references, compound, and other classes.
  ///
  /// `named` is the dataset's attribute `dtype`, which names the type of opaque elements.
  init?(_ type: HDF5Datatype, named: String?) {
    let size = type.size
    switch type.kind {
    case .integer(let layout), .enumeration(let layout, _), .bits(let layout):
      let kind = ElementType.Kind.integer(isSigned: layout.isSigned)
      guard let dtype = Self.dtype(kind, size) else { return nil }
      // libhdf5 1.10.8 does not sign-extend big-endian integers narrower than their bytes.
      guard layout.isWhole || !layout.isBig else { return nil }
      // libhdf5 converts neither enumerations nor bit fields to integers.
      if !layout.isWhole, Self.remark(type) != nil { return nil }
      self.dtype = dtype
      form = layout.isWhole ? Self.form(size, isBig: layout.isBig) : .converted
      if !layout.isWhole {
        bits = HDF5Bits(
          width: size, first: layout.first, count: layout.count, isSigned: layout.isSigned)
      }
    case .float(let layout?, let isBig):
      guard let dtype = layout.dtype else { return nil }
      self.dtype = dtype
      form = Self.form(size, isBig: isBig)
    case .boolean: (dtype, form) = (.bool, .asRead)
    case .complex(let layout, let isBig, let isPacked):
      guard let part = layout.dtype,
        let dtype = Self.dtype(.complex(of: part), 2 * part.byteWidth)
      else { return nil }
      self.dtype = dtype
      form = isPacked ? Self.form(layout.size, isBig: isBig) : .converted
    case .opaque:
      // Older Keras files and h5py with ml_dtypes store bfloat16 as 2 opaque bytes without a name.
      let known = named.map { DType(named: $0) } ?? (size == 2 ? .bfloat16 : nil)
      guard let known, known.isComputable, known.byteWidth == size else { return nil }
      (dtype, form) = (known, .asRead)
    case .float(nil, _), .text, .variableText, .array, .other: return nil
    }
  }

  /// What the elements are called in the file, where they are read as integers.
  static func remark(_ type: HDF5Datatype) -> String? {
    switch type.kind {
    case .enumeration(_, let names): "enumeration: \(names)"
    case .bits: "bit field"
    case .integer, .float, .text, .variableText, .opaque, .boolean, .complex, .array, .other: nil
    }
  }

  private static func form(_ width: Int, isBig: Bool) -> Form {
    isBig && width > 1 ? .swapped(width) : .asRead
  }

  private static func dtype(_ kind: ElementType.Kind, _ size: Int) -> DType? {
    DType.computable.first { $0.element.kind == kind && $0.byteWidth == size }
  }

  /// Describes a datatype that cannot be a tensor's, for a note.
  static func text(_ type: HDF5Datatype) -> String {
    switch type.kind {
    case .text, .variableText: "text"
    case .boolean, .enumeration: "enumerated values"
    case .bits: "bit fields"
    case .opaque: "opaque elements of \(type.size) bytes without a known `dtype`"
    case .complex: "compound values"
    case .array: "arrays"
    case .other(let text): text
    case .integer, .float: "numbers of an unusual layout (\(type.size) bytes)"
    }
  }
}
