import TensorCore

/// What a module class means: its printed text, its tensors, and the order of its construction.
///
/// A conforming type is a value that holds the constructor's arguments; it has no forward pass.
/// Those in `KnownLayers` are held to the suite `LayerContract`: every class has a golden made by
/// PyTorch, a printed layer prints itself back, and what it prints reads back to the same tensors.
public protocol Layer: ModuleConvertible {
  /// Class name as printed.
  var kind: String { get }
  /// `extra_repr()` as the reference version of PyTorch writes it.
  var arguments: String { get }
  /// Own parameters in registration order; absent ones (`bias=False`) are left out.
  var parameters: [Parameter] { get }
  /// Own buffers in registration order; none by default.
  var buffers: [Buffer] { get }
  /// Children that the constructor makes; none by default.
  var children: [Module.Child] { get }
  /// What `__init__` does with the generator; by default own parameters, then each child.
  func construction(children names: [String]) -> [ConstructionStep]
  /// Names of the parameters that some layers of the class lack, such as `bias` after `bias=False`;
  /// none by default.
  ///
  /// A rule may assign one of them where no matching layer has it.
  var optionalParameters: [String] { get }
  /// Dimension of `weight` whose slices are the rows of the matrix that `spectral_norm` measures;
  /// 0 by default, 1 for transposed convolutions.
  var spectralNormAxis: Int { get }
}

extension Layer {
  public var buffers: [Buffer] { [] }
  public var children: [Module.Child] { [] }
  public var optionalParameters: [String] { [] }
  public var spectralNormAxis: Int { 0 }

  public func construction(children names: [String]) -> [ConstructionStep] {
    [.ownParameters] + names.map { .child($0) }
  }

  /// The layer as a node of a tree.
  public var module: Module {
    Module(kind: kind, arguments: arguments, layer: self, children: children)
  }
}

/// A value that can stand as a module in a tree: a ``Module`` or a ``Layer``.
public protocol ModuleConvertible: Sendable {
  /// The value as a node of a tree.
  var module: Module { get }
}

extension Module: ModuleConvertible {
  /// The module itself.
  public var module: Module { self }
}

/// A layer that can be read from the text between its printed parentheses.
package protocol PrintedLayer: Layer {
  /// The classes that print this way, each with the classes it derives from, nearest first.
  static var classes: [String: [String]] { get }

  /// Reads the arguments, and for composite classes the children, of a printed module.
  init(printed: PrintedModule) throws(ArgumentError)

  /// Whether text and children are such as these classes print, each in every version of PyTorch.
  ///
  /// If they are not, the class is another one of the same name. Values are not looked at: one that
  /// cannot be read is an error of ``init(printed:)``.
  static func prints(_ printed: PrintedModule) -> Bool
  /// Library that defines the classes; `nil`, the default, for `torch.nn`.
  static var library: String? { get }
  /// Classes to suggest when an unknown class prints the same argument names; none by default.
  static var suggestions: [String] { get }
  /// The class, if any, that an unknown class printing these arguments behaves as; none by default.
  static func likelyClass(of printed: PrintedModule) -> String?
  /// The layers of these classes that may have these own tensors, the likeliest first; none by default.
  ///
  /// The caller checks that a layer's tensors and the given ones are the same.
  static func inferred(from tensors: OwnTensors) -> [Self]
  /// How likely a module of this name, in lower case, is the layer where the tensors leave a choice;
  /// usual by default.
  func likelihood(moduleName name: String) -> Likelihood
  /// Constructor options that are not printed and that a side file may set, as a user would write
  /// them; none by default.
  static var unprintedOptions: [String] { get }
  /// The layer with some of its ``unprintedOptions`` set; `nil` for options that are not among them.
  func setting(_ options: PrintedArguments) throws(ArgumentError) -> Self?
}

extension PrintedLayer {
  package static var library: String? { nil }
  package static var suggestions: [String] { [] }
  package static func likelyClass(of printed: PrintedModule) -> String? { nil }
  package static func inferred(from tensors: OwnTensors) -> [Self] { [] }
  package func likelihood(moduleName name: String) -> Likelihood { .usual }
  package static var unprintedOptions: [String] { [] }
  package func setting(_ options: PrintedArguments) throws(ArgumentError) -> Self? { nil }
}

/// How likely a class is among those that have the same tensors.
package enum Likelihood: Int, Comparable {
  case rare, possible, usual
  /// The module's name speaks for the class.
  case named

  package static func < (first: Likelihood, second: Likelihood) -> Bool {
    first.rawValue < second.rawValue
  }
}

/// The tensors that one module of unknown class owns, by name.
package struct OwnTensors {
  /// Names and shapes, in file order.
  package let shapes: [(name: String, shape: [Int])]

  /// The shape of the tensor of this name.
  package func shape(_ name: String) -> [Int]? {
    shapes.first { $0.name.isSameText(name) }?.shape
  }
}

/// One node of a printed model before it has a meaning.
package struct PrintedModule {
  /// Class whose way of printing is to be assumed.
  package let kind: String
  /// What stands between the parentheses.
  package let arguments: PrintedArguments
  /// The children, already read.
  package let children: [Module.Child]

  /// The child of a name, if it is a linear layer.
  package func linear(_ name: String) throws(ArgumentError) -> Linear {
    let child = children.first { $0.name.isSameText(name) }
    guard let linear = child?.module?.layer as? Linear else {
      throw ArgumentError(
        offset: 0,
        message: "expected a linear layer '\(name)', which gives \(kind) its sizes, found none")
    }
    return linear
  }
}

/// A printed argument that cannot be what its class needs.
package struct ArgumentError: Error, Equatable {
  /// Bytes from the start of the arguments.
  package let offset: Int
  /// What was expected and what was found.
  package let message: String
}
