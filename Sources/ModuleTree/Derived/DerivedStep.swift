package import TensorCore
internal import TorchRandom

/// A step of construction that draws nothing itself: it makes tensors of others, or says which
/// stream the next draws come from.
///
/// A model description lists such steps where a script computes with what it has drawn.
package enum DerivedStep: Sendable {
  /// What is done to each pair of elements of two tensors.
  package enum Operator: String, Sendable, CaseIterable {
    /// The sum.
    case plus = "+"
    /// The first less the second.
    case minus = "-"
    /// The product.
    case times = "*"
    /// The first divided by the second.
    case over = "/"
    /// The smaller or the larger one; NaN if either is.
    case minimum, maximum
    /// The first where the second is not 0, else 0.
    case keep
  }

  /// Declares a tensor that is not part of the model, for later steps to fill and to read.
  case scratch(String, shape: [Int], dtype: DType?)
  /// Gives elements of one tensor the values of another's: see `Placed`.
  case set(String, from: String, Placement)
  /// Gives a tensor the sum, product, … of two others, element by element: see `Combined`.
  case combine(String, String, by: Operator, to: String)
  /// Begins the stream anew, as `torch.manual_seed` does.
  case seed(UInt64)
  /// Remembers the generator as it is now under a name.
  case save(String)
  /// Continues with the generator that has been remembered under a name.
  case restore(String)
}

extension DerivedStep {
  /// The same step with each tensor's name as `rename` gives it.
  func renamed(_ rename: (String) -> String) -> DerivedStep {
    switch self {
    case .scratch(let name, let shape, let dtype):
      .scratch(rename(name), shape: shape, dtype: dtype)
    case .set(let target, let source, let placement):
      .set(rename(target), from: rename(source), placement)
    case .combine(let left, let right, let sign, let target):
      .combine(rename(left), rename(right), by: sign, to: rename(target))
    case .seed, .save, .restore: self
    }
  }

  /// The tensors that the step reads or fills.
  var names: [TensorName] {
    switch self {
    case .scratch(let name, _, _): [TensorName(name)]
    case .set(let target, let source, _): [TensorName(target), TensorName(source)]
    case .combine(let left, let right, _, let target):
      [TensorName(left), TensorName(right), TensorName(target)]
    case .seed, .save, .restore: []
    }
  }
}

extension Initialization {
  /// Plans what a derived step gives; nothing happens where a tensor it reads has no values.
  mutating func perform(_ step: DerivedStep) throws {
    switch step {
    case .scratch(let name, let shape, let dtype):
      try declare(TensorName(name), TensorInfo(dtype: dtype ?? self.dtype, shape: shape))
    case .set(let target, let source, let placement):
      let before = values(of: TensorName(target))
      try derive(TensorName(target), from: TensorName(source)) {
        Placed(before: before, source: $0, placement: placement)
      }
    case .combine(let left, let right, let sign, let target):
      guard let other = values(of: TensorName(right)) else { return }
      try derive(TensorName(target), from: TensorName(left)) {
        Combined(left: $0, right: other, sign: sign)
      }
    case .seed(let seed): generator = Generator(seed: seed, cpuPath: generator.cpuPath)
    case .save(let name):
      generator.settle()
      saved[name] = generator
    case .restore(let name):
      guard let found = saved[name] else {
        throw CheckpointError(.missing, "no generator has been saved as '\(name)'")
      }
      generator = found
    }
  }
}
