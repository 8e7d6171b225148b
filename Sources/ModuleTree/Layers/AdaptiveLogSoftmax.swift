/// A softmax over many classes in clusters: linear layers `head`, `tail.0.0`, `tail.0.1`, ….
///
/// It has no tensors of its own; its children are constructed in printed order.
/// Source: PyTorch 2.15 `torch/nn/modules/adaptive.py`, class `AdaptiveLogSoftmaxWithLoss`.
public struct AdaptiveLogSoftmax: Layer {
  /// Children: `head` and `tail`.
  public let children: [Module.Child]

  /// Describes `nn.AdaptiveLogSoftmaxWithLoss(inputs, classes, cutoffs, div_value, head_bias)`;
  /// `cutoffs` ascend and stay below `classes`.
  public init(
    _ inputs: Int, classes: Int, cutoffs: [Int], divisor: Double = 4, headBias: Bool = false
  ) {
    let first = cutoffs.first ?? classes
    let ends = cutoffs.dropFirst() + [classes]
    let tail = zip(cutoffs, ends).enumerated().map { index, range in
      var size = Double(inputs)
      for _ in 0...index { size /= divisor }
      return Module.Child(
        String(index),
        Sequential(
          Linear(inputs, Int(size), bias: false), Linear(Int(size), range.1 - range.0, bias: false)
        ).module)
    }
    children = [
      Module.Child("head", Linear(inputs, first + tail.count, bias: headBias).module),
      Module.Child("tail", Module(kind: "ModuleList", children: tail)),
    ]
  }

  public var kind: String { "AdaptiveLogSoftmaxWithLoss" }
  public var arguments: String { "" }
  public var parameters: [Parameter] { [] }
}

extension AdaptiveLogSoftmax: PrintedLayer {
  package static let classes: [String: [String]] = ["AdaptiveLogSoftmaxWithLoss": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.showsOnly(children: ["head", "tail"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) { children = printed.children }
}
