/// A convolution with one size for every dimension, under PyTorch's class name.
public struct RankedConvolution<let rank: Int>: ModuleConvertible {
  /// The convolution as a node of a tree.
  public let module: Module

  /// Describes `nn.Conv2d(inputs, outputs, kernel, stride=…, …)` and its kin.
  public init(
    _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    var options = Convolution.Options()
    options.stride = sizes(stride, rank)
    options.padding = sizes(padding, rank)
    options.dilation = sizes(dilation, rank)
    options.groups = groups
    options.bias = bias
    module = Convolution(inputs, outputs, kernel: sizes(kernel, rank), options: options).module
  }
}

/// A transposed convolution with one size for every dimension, under PyTorch's class name.
public struct RankedTransposedConvolution<let rank: Int>: ModuleConvertible {
  /// The convolution as a node of a tree.
  public let module: Module

  /// Describes `nn.ConvTranspose2d(inputs, outputs, kernel, stride=…, …)` and its kin.
  public init(
    _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, groups: Int = 1, bias: Bool = true, dilation: Int = 1
  ) {
    var options = Convolution.Options()
    options.stride = sizes(stride, rank)
    options.padding = sizes(padding, rank)
    options.outputPadding = sizes(outputPadding, rank)
    options.dilation = sizes(dilation, rank)
    options.groups = groups
    options.bias = bias
    module =
      Convolution(
        inputs, outputs, kernel: sizes(kernel, rank), transposed: true, options: options
      ).module
  }
}

private func sizes(_ size: Int, _ rank: Int) -> [Int] { Array(repeating: size, count: rank) }

/// `nn.Conv1d`.
public typealias Conv1d = RankedConvolution<1>
/// `nn.Conv2d`.
public typealias Conv2d = RankedConvolution<2>
/// `nn.Conv3d`.
public typealias Conv3d = RankedConvolution<3>
/// `nn.ConvTranspose1d`.
public typealias ConvTranspose1d = RankedTransposedConvolution<1>
/// `nn.ConvTranspose2d`.
public typealias ConvTranspose2d = RankedTransposedConvolution<2>
/// `nn.ConvTranspose3d`.
public typealias ConvTranspose3d = RankedTransposedConvolution<3>
