import ByteIO
import TensorCore

/// What was done to the bytes of a chunk before they were stored.
enum NativeFilter: Hashable, Sendable {
  /// Nothing: the chunk stands as it is, aligned.
  case raw
  /// Divided into planes, packed as one zlib stream (see `PlaneCodec`).
  case planes(width: Int, rotated: Bool)

  /// Every filter of version 1.
  static let all: [NativeFilter] =
    [.raw] + Planes.widths.map { .planes(width: $0, rotated: false) }
    + Planes.widths.dropFirst().map { .planes(width: $0, rotated: true) }

  /// The name in the index.
  var name: String {
    switch self {
    case .raw: "raw"
    case .planes(let width, false): "planes-\(width)"
    case .planes(let width, true): "rotated-planes-\(width)"
    }
  }

  /// Finds a filter by name; `nil` if version 1 has none of it.
  init?(name: String) {
    guard let filter = Self.all.first(where: { $0.name == name }) else { return nil }
    self = filter
  }

  /// The filter that packs elements of a type best: a complex number is two floats.
  static func best(for dtype: DType) -> NativeFilter {
    let width = dtype.element.wordWidth
    return switch dtype.element.kind {
    case .floatingPoint, .complex: .planes(width: width, rotated: width > 1)
    case .boolean, .integer, .packed: .planes(width: width, rotated: false)
    }
  }

  /// Whether the words it divides fit into elements of a type.
  func divides(_ dtype: DType) -> Bool {
    switch self {
    case .raw: true
    case .planes(let width, _): dtype.byteWidth % width == 0
    }
  }
}
