/// Modules called one after another; children are named `0`, `1`, ….
public struct Sequential: ModuleConvertible {
  /// The container as a node of a tree.
  public let module: Module

  /// Describes `nn.Sequential(first, second, …)`.
  public init(_ modules: any ModuleConvertible...) {
    module = Module(kind: "Sequential", children: numbered(modules))
  }
}

/// A list of modules; children are named `0`, `1`, … and equal neighbors print as one run.
public struct ModuleList: ModuleConvertible {
  /// The container as a node of a tree.
  public let module: Module

  /// Describes `nn.ModuleList([first, second, …])`.
  public init(_ modules: [any ModuleConvertible]) {
    module = Module(kind: "ModuleList", children: numbered(modules))
  }
}

/// Modules by name.
public struct ModuleDict: ModuleConvertible {
  /// The container as a node of a tree.
  public let module: Module

  /// Describes `nn.ModuleDict({"a": first, …})`.
  public init(_ modules: KeyValuePairs<String, any ModuleConvertible>) {
    module = Module(
      kind: "ModuleDict", children: modules.map { Module.Child($0.key, $0.value.module) })
  }
}

private func numbered(_ modules: [any ModuleConvertible]) -> [Module.Child] {
  modules.enumerated().map { Module.Child(String($0.offset), $0.element.module) }
}

/// A class of the user's own, called like a constructor with the children's names as labels.
///
///     let Net = ModuleClass("Net")
///     let net = Net(layer1: Linear(2, 4), relu1: ReLU())
///
/// Children are registered, and so constructed and printed, in the order of the labels. A use
/// twice of one Swift value makes two modules, as values are copied; see ``Module/shared()``.
@dynamicCallable
public struct ModuleClass: Sendable {
  /// The class's name as printed.
  package let name: String

  /// Names a class.
  public init(_ name: String) { self.name = name }

  /// Makes a module of the class with these children; `nil` is an attribute that is `None`.
  public func dynamicallyCall(
    withKeywordArguments children: KeyValuePairs<String, (any ModuleConvertible)?>
  ) -> Module {
    Module(kind: name, children: children.map { Module.Child($0.key, $0.value?.module) })
  }
}
