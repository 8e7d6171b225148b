import ByteIO
import TensorCore

/// What was done to the words of a chunk before they were packed: steps, and at last a layout, as
/// `f16+sparse+rotated-planes-2` names them.
package struct NativeFilter: Hashable, Sendable {
  /// How the words that remain become bytes.
  enum Layout: Hashable, Sendable {
    /// As they are, aligned and not packed.
    case raw
    /// Not at all: they are those of the base.
    case base
    /// All lowest bytes, then all second ones, and so on; also of blocks of any other size.
    case planes
    /// The same after a rotation.
    case rotatedPlanes
    /// The same, the lower half of the planes as bit planes.
    case bits
    /// A table of the distinct words, and an index for each word.
    case palette
    /// Planes of the differences of neighbors.
    case differences
  }

  /// Whether words are differences from those of the base.
  var isDelta = false
  /// Whether words of 8 bytes became float32.
  var isFloat32 = false
  /// What words of 4 bytes became, if narrower ones hold their values.
  var half: NarrowFloats.Kind?
  /// Whether zeros were taken out.
  var isSparse = false
  /// Words in a row, if levels were subtracted.
  var columns: Int?
  var layout: Layout
  /// Whether the content is packed by asymmetric numeral systems, not as a zlib stream.
  var isRanged = false
  /// Size in bytes of the words that the layout is of.
  package internal(set) var width: Int

  /// The filter of chunks that stand as they are.
  static let raw = NativeFilter(layout: .raw, width: 1)
  /// The filter of chunks whose bytes are those of the base, and which have none of their own.
  static let base = NativeFilter(layout: .base, width: 1)

  /// The last step of those that are not zlib streams.
  private static let ranged = "ans"
  /// Sizes of words that are numbers.
  private static let wordWidths = [1, 2, 4, 8]
  /// Numbers of columns that levels may have.
  static let columnLimits = 4...65536
  /// Largest size of a block.
  private static let maxBlock = 512

  /// The name in the index.
  var name: String {
    var steps: [String] = []
    if isDelta { steps.append("delta") }
    if isFloat32 { steps.append(NarrowFloats.Kind.f32.rawValue) }
    if let half { steps.append(half.rawValue) }
    if isSparse { steps.append("sparse") }
    if let columns { steps.append("levels-\(columns)") }
    switch layout {
    case .raw: steps.append("raw")
    case .base: steps.append("base")
    case .planes: steps.append("planes-\(width)")
    case .rotatedPlanes: steps.append("rotated-planes-\(width)")
    case .bits: steps.append("bits-\(width)")
    case .palette: steps.append("palette-\(width)")
    case .differences: steps.append("differences-\(width)")
    }
    if isRanged { steps.append(Self.ranged) }
    return steps.joined(separator: "+")
  }

  init(layout: Layout, width: Int) {
    self.layout = layout
    self.width = width
  }

  /// Finds a filter by name; `nil` if version 1 has none of it.
  package init?(name: String) {
    for only in [Self.raw, .base] where name == only.name {
      self = only
      return
    }
    var steps = name.split(separator: "+", omittingEmptySubsequences: false)[...]
    let isRanged = steps.last == Self.ranged[...]
    if isRanged { steps.removeLast() }
    guard let last = steps.popLast(), let dash = last.lastIndex(of: "-"),
      let width = Int(last[last.index(after: dash)...])
    else { return nil }
    let layouts: [Substring: Layout] = [
      "planes": .planes, "rotated-planes": .rotatedPlanes, "bits": .bits, "palette": .palette,
      "differences": .differences,
    ]
    guard let layout = layouts[last[..<dash]] else { return nil }
    self.init(layout: layout, width: width)
    self.isRanged = isRanged
    isDelta = steps.take("delta")
    isFloat32 = steps.take("f32")
    if steps.take("f16") { half = .f16 } else if steps.take("bf16") { half = .bf16 }
    isSparse = steps.take("sparse")
    if let step = steps.first, step.hasPrefix("levels-"), let columns = Int(step.dropFirst(7)) {
      self.columns = columns
      steps.removeFirst()
    }
    // Numbers have one spelling, and what remains is unknown.
    guard steps.isEmpty, self.name == name, isPossible else { return nil }
  }

  /// Whether the steps and the layout go together.
  private var isPossible: Bool {
    if half != nil, width != 2 { return false }
    if half == nil, isFloat32, width != 4 { return false }
    if let columns, !Self.columnLimits.contains(columns) || (width != 2 && width != 4) {
      return false
    }
    let isNumber = Self.wordWidths.contains(width)
    if isDelta {
      guard layout != .rotatedPlanes, isNumber, !isFloat32, half == nil, columns == nil else {
        return false
      }
    }
    return switch layout {
    case .raw, .base: false
    case .planes:
      columns == nil
        && (isSparse ? isNumber && width > 1 : (1...Self.maxBlock).contains(width))
    case .rotatedPlanes, .bits: isNumber && width > 1
    case .palette, .differences: isNumber && !isSparse && columns == nil
    }
  }

  /// Whether the layout is the only step.
  var isPlain: Bool { !isDelta && !isFloat32 && half == nil && !isSparse && columns == nil }

  /// Whether it is planes of words alone in a zlib stream, as ``PlaneCodec`` divides them.
  var isWordPlanes: Bool {
    guard isPlain, !isRanged, Self.wordWidths.contains(width) else { return false }
    return layout == .planes || (layout == .rotatedPlanes && width < 8)
  }

  /// Size in bytes of the words of the chunk itself.
  package var wideWidth: Int { isFloat32 ? 8 : half != nil ? 4 : width }

  /// Whether its words fit into elements of a type.
  func divides(_ dtype: DType) -> Bool {
    layout == .raw || dtype.byteWidth % wideWidth == 0
  }

  /// Whether a chunk needs that of the base.
  package var needsBase: Bool { isDelta || layout == .base }

  /// The filter of the differences themselves.
  package var ofDifferences: NativeFilter {
    var filter = self
    filter.isDelta = false
    return filter
  }
}

extension ArraySlice<Substring> {
  /// Takes a step if it is the first.
  fileprivate mutating func take(_ step: Substring) -> Bool {
    guard first == step else { return false }
    removeFirst()
    return true
  }
}
