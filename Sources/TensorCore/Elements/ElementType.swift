/// What the elements of one ``DType`` are: a row of the table in `DType.element`.
///
/// Everything that depends on an element type asks its row: sizes, arithmetic, how formats spell
/// the type by its kind. What only one format knows (a number of GGUF, a storage class of PyTorch)
/// is a list in that format's folder.
package struct ElementType: Sendable {
  /// What an element stands for.
  package enum Kind: Hashable, Sendable {
    /// A truth value in one byte.
    case boolean
    /// An integer in two's complement, or without a sign.
    case integer(isSigned: Bool)
    /// A real number.
    case floatingPoint(FloatFormat)
    /// A real part and an imaginary part of this type.
    case complex(of: DType)
    /// Elements without bytes of their own: listed, hashed, compared as bytes, and copied.
    case packed
  }

  /// What an element stands for.
  package let kind: Kind
  /// Elements that are stored together, and the bytes they take; a tensor holds whole blocks.
  package let block: (elements: Int, bytes: Int)
  /// The name after `torch.`; `nil` for types that PyTorch does not have.
  package let torchName: String?
  /// How the bits stand for numbers; `nil` for ``Kind/packed``.
  package let coding: (any ElementCoding.Type)?

  /// The bit fields of a real floating-point type.
  package var floatFormat: FloatFormat? {
    if case .floatingPoint(let format) = kind { format } else { nil }
  }

  /// Bytes that belong together as one number: of a complex element, those of a part.
  ///
  /// Big-endian files swap them, and the plane codec divides them.
  package var wordWidth: Int {
    switch kind {
    case .boolean, .integer, .floatingPoint: block.bytes
    case .complex(let part): part.byteWidth
    case .packed: 1
    }
  }

  // MARK: - Kinds of rows

  static func scalar(
    _ kind: Kind, _ coding: any ElementCoding.Type, bytes: Int, _ torchName: String
  ) -> ElementType {
    ElementType(kind: kind, block: (1, bytes), torchName: torchName, coding: coding)
  }

  static func integer<Integer: FixedWidthInteger & Sendable>(
    _: Integer.Type, _ torchName: String
  ) -> ElementType where Integer.Magnitude: FixedWidthInteger & BitwiseCopyable {
    scalar(
      .integer(isSigned: Integer.isSigned), IntegerCoding<Integer>.self,
      bytes: MemoryLayout<Integer>.size, torchName)
  }

  static func float<Coding: FloatCoding>(_: Coding.Type, _ torchName: String) -> ElementType {
    scalar(
      .floatingPoint(Coding.format), Coding.self, bytes: MemoryLayout<Coding.Word>.size, torchName)
  }

  static func complex<Part: FloatCoding>(
    _: Part.Type, of part: DType, _ torchName: String
  ) -> ElementType {
    scalar(
      .complex(of: part), ComplexCoding<Part>.self, bytes: 2 * MemoryLayout<Part.Word>.size,
      torchName)
  }

  static func packed(_ elements: Int, bytes: Int, _ torchName: String? = nil) -> ElementType {
    ElementType(kind: .packed, block: (elements, bytes), torchName: torchName, coding: nil)
  }
}
