import TensorCore

/// How chunks of a tensor are to be packed: all that the choice of filters sees besides the bytes.
struct NativePacking: Hashable, Sendable {
  /// What words are.
  enum Kind: Hashable, Sendable {
    /// Anything: chunks stand as they are.
    case raw
    /// Numbers with a sign, an exponent, and a mantissa.
    case float
    /// Integers and truth values.
    case integer
    /// Differences from the words of a base, in zigzag form.
    case delta
    /// Blocks of several elements.
    case block
  }

  /// How much is tried.
  enum Effort: Int, Hashable, Sendable {
    /// Planes and blocks alone.
    case fast
    /// What costs little time.
    case standard
    /// What saves least as well.
    case small
  }

  var kind: Kind
  /// Size of a word in bytes; a complex number is two words.
  var width: Int
  var effort = Effort.standard

  /// The part of a zlib stream, as its reciprocal, that asymmetric numeral systems must save to be taken;
  /// `nil` where they are not tried, so that any zlib unpacks every chunk.
  var rangedSaving: Int? {
    switch effort {
    case .fast, .standard: nil
    case .small: 1 << 20
    }
  }

  /// Chunks stand as they are.
  static let raw = NativePacking(kind: .raw, width: 1)

  init(kind: Kind, width: Int, effort: Effort = .standard) {
    (self.kind, self.width, self.effort) = (kind, width, effort)
  }

  /// The packing that suits elements of a type.
  init(for dtype: DType, effort: Effort) {
    width = dtype.element.wordWidth
    self.effort = effort
    switch dtype.element.kind {
    case .floatingPoint, .complex: kind = .float
    case .boolean, .integer: kind = .integer
    case .packed:
      kind = dtype.byteWidth > 1 ? .block : .integer
      width = dtype.byteWidth
    }
  }

  /// The packing of the differences from a base; `nil` where there are no words to subtract.
  var ofDifferences: NativePacking? {
    kind == .raw || kind == .block ? nil : NativePacking(kind: .delta, width: width, effort: effort)
  }

  /// The filter without any choice, which tensors without elements have.
  var plainFilter: NativeFilter {
    switch kind {
    case .raw: .raw
    case .float where width > 1: NativeFilter(layout: .rotatedPlanes, width: width)
    default: NativeFilter(layout: .planes, width: width)
    }
  }

  /// Numbers of columns that rows of a tensor may have: the products of its trailing dimensions.
  static func columns(of shape: Shape) -> [Int] {
    var (columns, product) = ([Int](), 1)
    for size in shape.reversed() {
      product = product.saturated(times: size)
      if NativeFilter.columnLimits.contains(product), columns.last != product {
        columns.append(product)
      }
    }
    return columns
  }
}
