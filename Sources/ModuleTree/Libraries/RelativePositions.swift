internal import TensorCore
internal import TorchRandom

/// The table by which windowed attention looks up its bias: for each pair of places in a window,
/// the number of their distance, as int64.
///
/// A distance is counted from the most negative one, the last axis fastest. Both `(places, places)`
/// and a flat shape hold the same elements.
///
/// Source: torchvision 0.29.2 `models/swin_transformer.py`,
/// `ShiftedWindowAttention.define_relative_position_index`.
struct RelativePositions: Initializer, Hashable {
  /// Sizes of the window, outermost first.
  let window: [Int]
  let name = "relative_positions"

  /// Number of places in the window.
  var places: Int { Self.count(window) }
  /// Number of distances along all axes.
  var distances: Int { Self.count(window.map { 2 * $0 - 1 }) }

  private static func count(_ sides: [Int]) -> Int { (try? Shape(sides).elementCount) ?? 0 }

  /// A buffer of this table; flat unless its sizes are given.
  func buffer(_ name: String, shape: [Int]? = nil) -> Buffer {
    Buffer(
      name, shape: shape ?? [Self.count([places, places])], dtype: .int64, initializer: self)
  }

  func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.dtype == .int64, info.elementCount == Self.count([places, places]) else {
      throw CheckpointError(
        .mismatched, "expected \(places) x \(places) int64 for a window, found shape \(info.shape)")
    }
    return .computed {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(info.byteCount)
      for query in 0..<places {
        for key in 0..<places {
          append(index(query, key), to: &bytes)
        }
      }
      return bytes
    }
  }

  private func append(_ index: Int, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: index >> shift))
    }
  }

  private func index(_ query: Int, _ key: Int) -> Int {
    var (query, key, index, unit) = (query, key, 0, 1)
    for size in window.reversed() {
      index += (query % size - key % size + size - 1) * unit
      (query, key, unit) = (query / size, key / size, unit * (2 * size - 1))
    }
    return index
  }

  /// Largest side of a window in a text.
  private static let maxSide = 1 << 15

  static let syntax = InitializerSyntax(
    "relative_positions", .required("first"), .optional("second"), .optional("third")
  ) { values throws(CheckpointError) in
    var window: [Int] = []
    for index in 0..<3 {
      guard let side = try values.optionalInteger(index, atLeast: 1) else { break }
      guard side <= maxSide else {
        throw InitializerText.error(1, "expected a window of at most \(maxSide), found \(side)")
      }
      window.append(side)
    }
    return RelativePositions(window: window)
  }

  var description: String {
    "relative_positions(\(window.map(String.init).joined(separator: ", ")))"
  }
}
