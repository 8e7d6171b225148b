import TensorCore

/// A convolution of rank 1 to 3, straight or transposed.
///
/// `weight` is `[outputs, inputs / groups, kernel…]`, transposed `[inputs, outputs / groups,
/// kernel…]`; `bias` is `[outputs]`. Drawn in that order: kaiming uniform with a = √5, then
/// uniform within 1/√fan, the fan being the second size times the kernel's, transposed or not.
/// Source: PyTorch 2.15 `torch/nn/modules/conv.py`, class `_ConvNd`.
public struct Convolution: Layer {
  /// The options beyond the sizes; a tuple has one number for each dimension of the kernel.
  package struct Options: Sendable {
    /// Step; 1 everywhere if empty.
    package var stride: [Int] = []
    /// Border in numbers; 0 everywhere if empty.
    package var padding: [Int] = []
    /// Border by name, `same` or `valid`, instead of numbers.
    package var namedPadding: String?
    /// Distance between the kernel's points; 1 everywhere if empty.
    package var dilation: [Int] = []
    /// What a transposed convolution adds to one side of its output; 0 everywhere if empty.
    package var outputPadding: [Int] = []
    /// Number of blocks that inputs and outputs are divided into.
    package var groups = 1
    /// Whether there is a bias.
    package var bias = true
    /// `zeros`, `reflect`, `replicate` or `circular`.
    package var paddingMode = "zeros"

    /// The options of a plain convolution.
    package init() {}
  }

  /// Channels going in.
  package let inputs: Int
  /// Channels coming out.
  package let outputs: Int
  /// Size of the kernel, one number a dimension.
  package let kernel: [Int]
  /// Everything else.
  package let options: Options
  /// Whether it is a transposed one.
  package let isTransposed: Bool

  /// Describes a convolution whose rank is the number of the kernel's sizes.
  package init(
    _ inputs: Int, _ outputs: Int, kernel: [Int], transposed: Bool = false,
    options: Options = Options()
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.kernel = kernel
    self.options = options
    self.isTransposed = transposed
  }

  public var kind: String { "Conv\(isTransposed ? "Transpose" : "")\(kernel.count)d" }

  public var arguments: String {
    func tuple(_ sizes: [Int], or standard: Int) -> String {
      (sizes.isEmpty ? kernel.map { _ in standard } : sizes).printedTuple
    }
    func isDefault(_ sizes: [Int], _ standard: Int) -> Bool {
      sizes.allSatisfy { $0 == standard }
    }
    var text = "\(inputs), \(outputs), kernel_size=\(kernel.printedTuple)"
    text += ", stride=\(tuple(options.stride, or: 1))"
    if let name = options.namedPadding {
      text += ", padding=\(name)"
    } else if !isDefault(options.padding, 0) {
      text += ", padding=\(tuple(options.padding, or: 0))"
    }
    if !isDefault(options.dilation, 1) {
      text += ", dilation=\(tuple(options.dilation, or: 1))"
    }
    if !isDefault(options.outputPadding, 0) {
      text += ", output_padding=\(tuple(options.outputPadding, or: 0))"
    }
    if options.groups != 1 { text += ", groups=\(options.groups)" }
    if !options.bias { text += ", bias=False" }
    if options.paddingMode != "zeros" { text += ", padding_mode=\(options.paddingMode)" }
    return text
  }

  public var optionalParameters: [String] { ["bias"] }

  public var spectralNormAxis: Int { isTransposed ? 1 : 0 }

  public var parameters: [Parameter] {
    let groups = max(options.groups, 1)
    let second = (isTransposed ? outputs : inputs) / groups
    let weight = Parameter.kaimingWeight(shape: [isTransposed ? inputs : outputs, second] + kernel)
    guard options.bias else { return [weight] }
    let fan = weight.shape.isEmpty ? 0 : weight.shape.product(along: 1...)
    return [
      weight,
      Parameter("bias", shape: [outputs], initializer: .uniform(fan: fan)),
    ]
  }
}

extension Convolution: PrintedLayer {
  package static let classes = [
    "Conv1d": ["_ConvNd"], "Conv2d": ["_ConvNd"], "Conv3d": ["_ConvNd"],
    "ConvTranspose1d": ["_ConvTransposeNd", "_ConvNd"],
    "ConvTranspose2d": ["_ConvTransposeNd", "_ConvNd"],
    "ConvTranspose3d": ["_ConvTransposeNd", "_ConvNd"],
  ]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(
      2...2, ["kernel_size", "stride"],
      optional: ["padding", "dilation", "output_padding", "groups", "bias", "padding_mode"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let arguments = printed.arguments
    var options = Options()
    options.groups = try arguments.size("groups", default: 1)
    options.bias = try arguments.flag("bias", default: true)
    options.stride = try arguments.optionalSizes("stride")
    options.dilation = try arguments.optionalSizes("dilation")
    options.outputPadding = try arguments.optionalSizes("output_padding")
    options.paddingMode = arguments.text("padding_mode") ?? "zeros"
    if let name = arguments.text("padding"), name.utf8.first != UInt8(ascii: "("),
      name.utf8.first != UInt8(ascii: "[")
    {
      options.namedPadding = name
    } else {
      options.padding = try arguments.optionalSizes("padding")
    }
    let transposed = printed.kind.hasPrefix("ConvTranspose")
    let inputs = try arguments.size(at: 0, called: "in_channels")
    let outputs = try arguments.size(at: 1, called: "out_channels")
    let kernel = try arguments.sizes("kernel_size")
    let rank = printed.kind.utf8.dropLast().last.map { Int($0) - 48 } ?? 0
    guard kernel.count == rank else {
      throw ArgumentError(
        offset: 0,
        message: "expected \(rank) sizes, found kernel_size=\(kernel.printedTuple)")
    }
    guard options.groups > 0, inputs % options.groups == 0, outputs % options.groups == 0 else {
      throw ArgumentError(
        offset: 0,
        message: "expected a divisor of \(inputs) and \(outputs), found groups=\(options.groups)")
    }
    self.init(inputs, outputs, kernel: kernel, transposed: transposed, options: options)
  }

  package static let suggestions = ["Conv1d", "Conv2d", "Conv3d"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    // Quantized layers print the same arguments and own other tensors.
    guard printed.has(positional: 2, "kernel_size", "stride"), !printed.kind.contains("Quant"),
      let rank = try? printed.arguments.sizes("kernel_size").count, 1...3 ~= rank
    else { return nil }
    let isTransposed =
      printed.kind.contains("Transpose") || printed.has(positional: 2, "output_padding")
    return "Conv\(isTransposed ? "Transpose" : "")\(rank)d"
  }

  package static func inferred(from tensors: OwnTensors) -> [Convolution] {
    guard let weight = tensors.shape("weight"), 3...5 ~= weight.count else { return [] }
    let (bias, kernel) = (tensors.shape("bias"), Array(weight[2...]))
    var options = Options()
    options.bias = bias != nil
    let straight = Convolution(weight[1], weight[0], kernel: kernel, options: options)
    // The bias has one number for each output, and a weight of a transposed one those of one group.
    let outputs = bias?.first ?? weight[1]
    options.groups = weight[1] > 0 ? outputs / weight[1] : 1
    guard options.groups > 0, options.groups <= weight[0], weight[0] % options.groups == 0,
      outputs == weight[1] * options.groups
    else { return [straight] }
    let transposed = Convolution(
      weight[0], outputs, kernel: kernel, transposed: true, options: options)
    return [straight, transposed]
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    guard isTransposed else { return .usual }
    return ["transpose", "deconv"].contains { name.contains($0) } ? .named : .possible
  }
}

extension [Int] {
  /// As Python prints a tuple: `(3,)`, `(3, 1)`.
  package var printedTuple: String {
    "(" + map(String.init).joined(separator: ", ") + (count == 1 ? ",)" : ")")
  }
}
