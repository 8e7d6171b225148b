/// `nn.Conv1d`, `nn.Conv2d` or `nn.Conv3d`: called as in Python, one size for every dimension.
///
///     let module = Conv2d(3, 8, 3, padding: 1)
public struct ConvolutionClass: Sendable {
  /// Number of spatial dimensions.
  package let rank: Int

  /// Describes `nn.Conv2d(inputs, outputs, kernel, stride=…, …)`.
  public func callAsFunction(
    _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) -> Convolution {
    func sizes(_ size: Int) -> [Int] { Array(repeating: size, count: rank) }
    var options = Convolution.Options()
    options.stride = sizes(stride)
    options.padding = sizes(padding)
    options.dilation = sizes(dilation)
    options.groups = groups
    options.bias = bias
    return Convolution(inputs, outputs, kernel: sizes(kernel), options: options)
  }
}

/// `nn.ConvTranspose1d`, `nn.ConvTranspose2d` or `nn.ConvTranspose3d`: called as in Python, one size
/// for every dimension.
public struct TransposedConvolutionClass: Sendable {
  /// Number of spatial dimensions.
  package let rank: Int

  /// Describes `nn.ConvTranspose2d(inputs, outputs, kernel, stride=…, …)`.
  public func callAsFunction(
    _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, groups: Int = 1, bias: Bool = true, dilation: Int = 1
  ) -> Convolution {
    func sizes(_ size: Int) -> [Int] { Array(repeating: size, count: rank) }
    var options = Convolution.Options()
    options.stride = sizes(stride)
    options.padding = sizes(padding)
    options.outputPadding = sizes(outputPadding)
    options.dilation = sizes(dilation)
    options.groups = groups
    options.bias = bias
    return Convolution(
      inputs, outputs, kernel: sizes(kernel), transposed: true, options: options)
  }
}

/// `nn.Conv1d`.
public let Conv1d = ConvolutionClass(rank: 1)
/// `nn.Conv2d`.
public let Conv2d = ConvolutionClass(rank: 2)
/// `nn.Conv3d`.
public let Conv3d = ConvolutionClass(rank: 3)
/// `nn.ConvTranspose1d`.
public let ConvTranspose1d = TransposedConvolutionClass(rank: 1)
/// `nn.ConvTranspose2d`.
public let ConvTranspose2d = TransposedConvolutionClass(rank: 2)
/// `nn.ConvTranspose3d`.
public let ConvTranspose3d = TransposedConvolutionClass(rank: 3)
