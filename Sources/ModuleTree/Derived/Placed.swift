internal import TensorCore
internal import TorchRandom

/// A tensor's values with a region that another tensor's elements fill, computed with on the way.
///
/// This is a cast, a transposed copy, an assignment to a column, `repeat`, one part of `cat`.
/// Elements are read range by range where the regions run in the same direction; a source that must
/// be read out of order is held whole.
struct Placed: Initializer {
  /// The values so far; not needed where the region is everything.
  let before: TensorValues?
  let source: TensorValues
  let placement: Placement

  let name = "placed"

  /// Size in bytes up to which a source is read at once.
  private static let wholeBytes = 1 << 22
  /// Elements that one read of a spread-out source takes at most.
  private static let spanLimit = 1 << 20

  func fill(for info: TensorInfo) throws -> TensorFill {
    let result = placement.operations.reduce(source.info.dtype) { $1.type(after: $0) }
    guard result == info.dtype else {
      throw CheckpointError(
        .mismatched, "expected values of \(info.dtype.torchName), found \(result.torchName)")
    }
    guard placement.isWithin(target: info.elementCount, source: source.info.elementCount) else {
      throw CheckpointError(
        .mismatched,
        "expected elements within shapes \(info.shape) and \(source.info.shape), found others")
    }
    let type = source.info.dtype
    if !placement.operations.isEmpty, !type.isComputable, !type.isFloatingPoint {
      throw CheckpointError(
        .unsupported, "expected numbers to compute with, found \(source.info.dtype.torchName)")
    }
    if readsWhole {
      try Budget.current.checkMemory(
        for: name, elements: source.info.elementCount, width: source.info.dtype.byteWidth)
    }
    return .streamed { [self] in try reader(for: info) }
  }

  var description: String { "values placed" }

  /// Whether the source has to be at hand at once.
  private var readsWhole: Bool {
    if placement.indices != nil || source.info.byteCount <= Self.wholeBytes { return true }
    let regions = placement.simplified
    let strides = regions.source.dropFirst()
    return zip(strides, strides.dropFirst()).contains { $0 != 0 && $0 < $1 }
      || regions.sizes.last.map { ($0 - 1) * (strides.last ?? 0) > Self.spanLimit } ?? false
  }

  private func reader(for info: TensorInfo) throws -> Checkpoint.Entry.Reader {
    let width = info.dtype.byteWidth
    let readBefore = placement.covers(info.elementCount) ? nil : try before?.reader()
    let elements = SourceElements(source, try source.reader(), isWhole: readsWhole)
    if let indices = placement.indices {
      return { range, target in
        try target.fillElements(range, width: width) { wanted, bytes in
          try readBefore?(wanted.lowerBound * width..<wanted.upperBound * width, &bytes)
          for position in wanted where indices[position] >= 0 {
            try place(
              elements, from: Int(indices[position]), step: 1, count: 1,
              at: position - wanted.lowerBound, step: 1, as: info.dtype, into: &bytes)
          }
        }
      }
    }
    let regions = placement.simplified
    let (to, from) = (
      regions.sizes.isEmpty ? 1 : regions.target.last ?? 1,
      regions.sizes.isEmpty ? 1 : regions.source.last ?? 1
    )
    return { range, target in
      try target.fillElements(range, width: width) { wanted, bytes in
        try readBefore?(wanted.lowerBound * width..<wanted.upperBound * width, &bytes)
        if placement.sizes.contains(0) { return }
        try regions.forEachRun(in: wanted) { first, start, count in
          try place(
            elements, from: start, step: from, count: count, at: first - wanted.lowerBound,
            step: to, as: info.dtype, into: &bytes)
        }
      }
    }
  }

  /// Writes `count` elements of the source, `step` apart, to every `step`-th of `bytes`.
  private func place(
    _ elements: SourceElements, from start: Int, step: Int, count: Int, at first: Int,
    step stride: Int, as dtype: DType, into bytes: inout MutableRawSpan
  ) throws {
    let (old, width) = (source.info.dtype.byteWidth, dtype.byteWidth)
    let read = try elements.read(start..<start + (count - 1) * step + 1)
    if placement.operations.isEmpty || placement.operations == [.cast(dtype)],
      dtype.isDrawable, source.info.dtype.isDrawable, step == 1, stride == 1
    {
      // One pass without a detour: a cast of a whole tensor.
      var part = bytes._mutatingExtracting(first * width..<(first + count) * width)
      read.withRawSpan {
        _ = ElementConversion.convert($0, from: source.info.dtype, to: dtype, into: &part)
      }
      return
    }
    guard !placement.operations.isEmpty else {
      // Nothing is computed: the elements are copied as they are, whatever their type.
      for index in 0..<count {
        for byte in 0..<width {
          bytes.storeBytes(
            of: read[index * step * old + byte],
            toByteOffset: (first + index * stride) * width + byte, as: UInt8.self)
        }
      }
      return
    }
    var values: [Double] = []
    read.withRawSpan { ElementConversion.decode($0, as: source.info.dtype, into: &values) }
    if step != 1 { values = (0..<count).map { values[$0 * step] } }
    var type = source.info.dtype
    for operation in placement.operations {
      operation.apply(to: &values, of: type)
      type = operation.type(after: type)
    }
    let made = encoded(values, as: dtype)
    for index in 0..<count {
      for byte in 0..<width {
        bytes.storeBytes(
          of: made[index * width + byte],
          toByteOffset: (first + index * stride) * width + byte, as: UInt8.self)
      }
    }
  }
}

/// The elements of a source: read as they are asked for, or all of them before the first.
private final class SourceElements: Sendable {
  private let width: Int
  private let reader: Checkpoint.Entry.Reader
  private let whole: WholeValues?

  init(_ source: TensorValues, _ reader: @escaping Checkpoint.Entry.Reader, isWhole: Bool) {
    width = source.info.dtype.byteWidth
    self.reader = reader
    whole = isWhole ? WholeValues { try source.bytes() } : nil
  }

  func read(_ elements: Range<Int>) throws -> [UInt8] {
    let range = elements.lowerBound * width..<elements.upperBound * width
    if let whole { return Array(try whole.all()[range]) }
    var bytes = [UInt8](repeating: 0, count: range.count)
    try bytes.withMutableRawSpan { try reader(range, &$0) }
    return bytes
  }
}

/// Values as little-endian elements of any type that `Double` can compute with.
func encoded(_ values: [Double], as dtype: DType) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: values.count * dtype.byteWidth)
  guard !bytes.isEmpty else { return bytes }
  if dtype.isFloatingPoint {
    bytes.withMutableRawSpan { _ = ElementConversion.encode(values.span, as: dtype, into: &$0) }
    return bytes
  }
  for (index, value) in values.enumerated() {
    let word = Int64(exactly: value) ?? 0
    for byte in 0..<dtype.byteWidth {
      bytes[index * dtype.byteWidth + byte] = UInt8(truncatingIfNeeded: word >> (8 * byte))
    }
  }
  return bytes
}
