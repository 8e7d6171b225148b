import ModuleTree
import ParallelWork
public import TensorCore

/// A rectangular part of a tensor, written as NumPy writes it: `[0:4, :]`, `[-1]`, `[::2]`.
public struct TensorSlice: Sendable {
  /// The indices taken of each dimension: `start`, `start + step`, … `count` of them.
  struct Axis {
    var start: Int
    var count: Int
    var step: Int
    /// A single index removes its dimension from the result.
    var isIndex: Bool
  }

  let axes: [Axis]
  /// Shape of the part.
  public let shape: Shape

  /// Takes the whole tensor.
  public init(all shape: Shape) {
    axes = shape.map { Axis(start: 0, count: $0, step: 1, isIndex: false) }
    self.shape = shape
  }

  /// Parses the text between the brackets against a shape; missing dimensions are taken whole.
  ///
  /// - Throws: `CheckpointError` with code `mismatched` for an index outside its dimension, too
  ///   many dimensions, a step below one, or anything that is not a number.
  public init(_ text: String, of shape: Shape) throws(CheckpointError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.filter { $0 != " " } }
    guard parts.count <= shape.count else {
      throw CheckpointError(
        .mismatched,
        "slice [\(text)] has \(parts.count) dimensions, shape \(shape) has \(shape.count)")
    }
    var axes: [Axis] = []
    for (dimension, size) in shape.enumerated() {
      let part = dimension < parts.count ? parts[dimension] : ":"
      axes.append(try Self.axis(part, dimension: dimension, size: size, text: text))
    }
    self.axes = axes
    self.shape = try Shape(axes.filter { !$0.isIndex }.map(\.count))
  }

  private static func axis(
    _ part: String, dimension: Int, size: Int, text: String
  ) throws(CheckpointError) -> Axis {
    func number(_ digits: Substring) throws(CheckpointError) -> Int? {
      if digits.isEmpty { return nil }
      guard let value = Int(digits) else {
        throw CheckpointError(
          .mismatched, "slice [\(text)]: expected an integer, as in [0:4, :], found '\(digits)'")
      }
      return value
    }
    let bounds = part.split(separator: ":", omittingEmptySubsequences: false)
    if bounds.count == 1 {
      guard let index = try number(bounds[0]), index >= -size, index < size else {
        throw CheckpointError(
          .mismatched,
          "slice [\(text)]: index '\(part)' of dimension \(dimension) is outside its size \(size)")
      }
      return Axis(start: index < 0 ? index + size : index, count: 1, step: 1, isIndex: true)
    }
    let step = try bounds.count > 2 ? number(bounds[2]) ?? 1 : 1
    guard bounds.count <= 3, step >= 1 else {
      throw CheckpointError(
        .mismatched,
        "slice [\(text)]: expected start:stop or start:stop:step, step ≥ 1, found '\(part)'")
    }
    func clamped(_ value: Int) -> Int { min(max(value < 0 ? value + size : value, 0), size) }
    let start = clamped(try number(bounds[0]) ?? 0)
    let stop = clamped(try number(bounds[1]) ?? size)
    let count = stop > start ? (stop - start - 1) / step + 1 : 0
    // A step past the end is never taken; in offsets it could overflow.
    return Axis(start: start, count: count, step: count > 1 ? step : 1, isIndex: false)
  }

  /// How many positions a dimension of the slice has, and whether it is a single index.
  package struct Positions: Sendable {
    /// Positions in the slice.
    package let count: Int
    /// Whether the dimension is missing from ``TensorSlice/shape``.
    package let isIndex: Bool
  }

  /// The slice's extent along every dimension of the tensor.
  package var ranges: [Positions] { axes.map { Positions(count: $0.count, isIndex: $0.isIndex) } }

  /// Reads values along one dimension as text.
  ///
  /// `prefix` holds positions in the dimensions before the one that runs, those after it are at 0;
  /// `count` values are read from position `first` on, or, where `first` is `nil` and `prefix`
  /// names every dimension, one.
  /// - Throws: `CheckpointError` when the tensor cannot be read.
  package func elementTexts(
    of entry: Checkpoint.Entry, at prefix: [Int], from first: Int?, count: Int
  ) throws -> [String] {
    guard entry.info.dtype.isComputable else {
      throw CheckpointError(
        .unsupported,
        "elements of \(entry.info.dtype.rawValue) are stored in blocks, whose values cannot be read",
        tensor: entry.name.text)
    }
    let width = entry.info.dtype.byteWidth
    let axis = prefix.count
    var positions = prefix
    if let first { positions.append(first) }
    positions += [Int](repeating: 0, count: axes.count - positions.count)
    let start = byteOffset(of: positions, in: entry.info)
    if count == 0 { return [] }
    let inner = axis < axes.count ? entry.info.shape.product(along: (axis + 1)...) : 1
    let stride = first == nil ? width : axes[axis].step * inner * width
    let extent = stride * (count - 1) + width
    var buffer = ChunkBuffer(capacity: extent <= ChunkBuffer.standardSize ? extent : width)
    var texts: [String] = []
    if extent <= ChunkBuffer.standardSize {
      let bytes = try entry.read(start, extent, using: &buffer)
      if stride == width { return entry.info.dtype.elementTexts(bytes) }
      for index in 0..<count {
        let element = bytes.extracting(index * stride..<index * stride + width)
        texts += entry.info.dtype.elementTexts(element)
      }
    } else {
      for index in 0..<count {
        let element = try entry.read(start + index * stride, width, using: &buffer)
        texts += entry.info.dtype.elementTexts(element)
      }
    }
    return texts
  }

  private func byteOffset(of positions: [Int], in info: TensorInfo) -> Int {
    elementOffset(of: positions, in: info) * info.dtype.byteWidth
  }

  /// Elements before the one at positions of the slice, all of which must be inside the tensor.
  func elementOffset(of positions: [Int], in info: TensorInfo) -> Int {
    var element = 0
    for (dimension, axis) in axes.enumerated() {
      element = element * info.shape[dimension] + axis.start + positions[dimension] * axis.step
    }
    return element
  }
}

extension Checkpoint {
  /// Finds the tensor that `text` names, with or without a slice in brackets after the name.
  ///
  /// A name that itself ends in brackets is tried first as it stands.
  /// `path` is the file that errors name.
  public func entry(
    sliced text: String, path: String? = nil
  ) throws(CheckpointError) -> (Entry, TensorSlice) {
    if let entry = self[TensorName(text)] {
      return (entry, TensorSlice(all: entry.info.shape))
    }
    if text.hasSuffix("]"), let bracket = text.lastIndex(of: "[") {
      let name = TensorName(String(text[..<bracket]))
      if let entry = self[name] {
        let inside = text[text.index(after: bracket)...].dropLast()
        return try CheckpointError.placing(
          (entry, TensorSlice(String(inside), of: entry.info.shape)), path: path, tensor: name.text)
      }
    }
    let nearest = nearestName(to: text, among: entries.map(\.name.text) + addresses(atMost: 10_000))
    throw CheckpointError(
      .missing,
      "no tensor or value '\(text)'; "
        + (nearest.map { "the nearest name is '\($0)'" } ?? "ckpt ls lists their names"),
      path: path)
  }
}
