import Strided
import TensorCore

/// Where a variable of a Keras layer, or a part of it, is found in a PyTorch tensor, or
/// in a part of one.
struct KerasSlot {
  /// One of equal parts along the first axis.
  struct Part: Equatable {
    var index = 0
    var count = 1
  }

  /// The variable's name in its layer, `kernel` or `query/kernel`.
  let variable: String
  var part = Part()
  /// The tensor's name in its module, `weight` or `out_proj.weight`.
  let tensor: String
  var tensorPart = Part()
  /// How the elements are arranged.
  let arrangement: Arrangement

  /// A bijection of elements: reshape, permute axes, permute blocks of rows, and reshape again.
  struct Arrangement {
    private let keras: [Int]
    private let seen: [Int]
    private let axes: [Int]
    private let blocks: [Int]
    /// The shape in PyTorch.
    let torch: [Int]

    /// `keras`, the variable's shape, is reshaped to `seen`; axis `i` is then `axes[i]`, block `i` of
    /// the first axis is `blocks[i]`, and the result is reshaped to `torch`.
    init(
      _ keras: [Int], seen: [Int]? = nil, axes: [Int]? = nil, blocks: [Int] = [0],
      torch: [Int]? = nil
    ) {
      self.keras = keras
      self.seen = seen ?? keras
      self.axes = axes ?? Array(self.seen.indices)
      self.blocks = blocks
      self.torch = torch ?? self.axes.map { [seen = self.seen] in seen[$0] }
    }

    private var permuted: [Int] { axes.map { seen[$0] } }

    /// Keras's tensor as PyTorch has it.
    func torch(_ entry: Checkpoint.Entry) throws(CheckpointError) -> Checkpoint.Entry {
      try entry.reshaped(seen).permuted(axes).reordered(blocks).reshaped(torch)
    }

    /// PyTorch's tensor as Keras has it.
    func keras(_ entry: Checkpoint.Entry) throws(CheckpointError) -> Checkpoint.Entry {
      guard entry.info.shape == torch else {
        throw CheckpointError(
          .mismatched,
          "expected shape \(torch) for a Keras variable of shape \(keras), found shape "
            + "\(entry.info.shape)", tensor: entry.name.text)
      }
      return try entry.reshaped(permuted).reordered(Self.inverse(blocks))
        .permuted(Self.inverse(axes)).reshaped(keras)
    }

    private static func inverse(_ order: [Int]) -> [Int] {
      var inverse = order
      for (position, index) in order.enumerated() { inverse[index] = position }
      return inverse
    }
  }
}
