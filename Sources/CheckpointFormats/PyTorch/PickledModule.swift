import TensorCore

/// A pickled `nn.Module`: its class, and the parts of its `__dict__`.
///
/// Source: torch 2.15 `nn/modules/module.py`, `fx/graph_module.py`, and for a state that is a tuple
/// `ao/nn/quantized/modules/conv.py`.
struct PickledModule {
  typealias Item = (name: String, value: Pickle.Reference)

  /// The Python module that defines the class, `torch.nn.modules.linear`.
  let library: String
  /// The class's own name.
  let className: String
  private(set) var parameters: [Item] = []
  /// Buffers that `state_dict()` lists.
  private(set) var buffers: [Item] = []
  /// Buffers that it does not.
  private(set) var transientBuffers: [Item] = []
  private(set) var children: [Item] = []
  /// Everything else in the `__dict__`.
  private(set) var attributes: [Item] = []

  /// Takes a value apart; `nil` if it is not a module.
  init?(_ reference: Pickle.Reference, in pickle: Pickle) {
    guard let object = pickle.object(reference) else { return nil }
    let callee = Self.callee(object, in: pickle)
    var state = object.state
    let isGraph = callee?.name.hasPrefix("reduce_graph_module") == true
    if isGraph { state = pickle.elements(object.arguments)?.first }
    // A state is the `__dict__`, or a pair of it and the slots.
    if let pair = state.flatMap(pickle.elements) {
      if pair.count == 2 {
        state = pair[0]
      } else if let callee, Self.isQuantized(callee.library) {
        guard let items = Self.convolution(pair) else { return nil }
        (library, className) = (callee.library, callee.name)
        attributes = items.attributes
        parameters = items.tensors
        return
      }
    }
    guard let state, pickle.item(state, "_parameters") != nil,
      pickle.item(state, "_modules") != nil, let items = pickle.items(state)
    else {
      // Since torch 2.6 a compiled module is made anew from the one that was compiled.
      guard let callee, callee.library == "torch._dynamo.eval_frame",
        callee.name == "OptimizedModule",
        let module = pickle.elements(object.arguments)?.first
      else { return nil }
      (library, className) = callee
      children = [("_orig_mod", module)]
      return
    }
    func parts(_ dictionary: Pickle.Reference) -> [Item]? {
      pickle.items(dictionary).map(pickle.named)
    }
    var transient: Set<TensorName> = []
    var all: [Item] = []
    var graphName: String?
    for (key, value) in items {
      switch pickle.text(key) {
      case "_parameters":
        guard let found = parts(value) else { return nil }
        parameters = found
      case "_buffers": all = parts(value) ?? []
      case "_modules":
        guard let found = parts(value) else { return nil }
        children = found
      case "_non_persistent_buffers_set":
        transient = Set(
          pickle.setElements(value).compactMap { pickle.text($0).map { TensorName($0) } })
      case "_graphmodule_cls_name": graphName = pickle.text(value)
      case let name?: attributes.append((name, value))
      case nil: break
      }
    }
    buffers = all.filter { !transient.contains(TensorName($0.name)) }
    transientBuffers = all.filter { transient.contains(TensorName($0.name)) }
    library = callee?.library ?? ""
    className = isGraph ? graphName ?? "GraphModule" : callee?.name ?? "Module"
  }

  /// The attribute of a name; `nil` if it is not there.
  func attribute(_ name: String) -> Pickle.Reference? {
    attributes.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }

  /// Whether the module has a parameter of a name that is not `None`.
  func hasParameter(_ name: String, in pickle: Pickle) -> Bool {
    parameters.contains { item in
      if case .none = pickle[item.value] { return false }
      return item.name.utf8.elementsEqual(name.utf8)
    }
  }

  /// Whether plain attributes belong to its state, as a quantized module's packed parameters do.
  var keepsAttributes: Bool { Self.isQuantized(library) }

  private static func isQuantized(_ library: String) -> Bool {
    library.hasPrefix("torch.") && library.contains(".quantized.")
  }

  // MARK: - Class

  /// The name of the class as PyTorch prints it, and whether it is one of PyTorch's.
  var kind: (name: String, isTorch: Bool) {
    guard library.hasPrefix("torch.") else { return (className, false) }
    guard Self.isQuantized(library), Self.packed.contains(where: className.hasPrefix),
      !className.hasSuffix("PackedParams")
    else { return (className, true) }
    return ((library.contains(".dynamic.") ? "DynamicQuantized" : "Quantized") + className, true)
  }

  /// The name with that of the Python module, `models.layers.Linear`.
  var longName: String { library.isEmpty ? className : "\(library).\(className)" }

  private static let packed = ["Linear", "Conv", "Embedding", "LSTM", "GRU"]

  /// The module and the name of an object's class, also of one inside another class.
  private static func callee(
    _ object: Pickle.Object, in pickle: Pickle
  ) -> (library: String, name: String)? {
    if let global = pickle.callee(object) {
      if global.name == "_reconstructor",
        let made = pickle.elements(object.arguments)?.first.flatMap(pickle.global)
      {
        return (made.module, last(made.name))
      }
      return (global.module, last(global.name))
    }
    // Files before torch 1.6 write a class with its source code: `('module', class, file, source)`.
    if case .persistent(let identifier) = pickle[object.callee],
      let parts = pickle.elements(identifier), parts.count > 1, pickle.isText(parts[0], "module")
    {
      return pickle.global(parts[1]).map { ($0.module, last($0.name)) }
    }
    // Older protocols write a class inside another one as `getattr(Outer, 'Inner')`.
    guard let call = pickle.object(object.callee), pickle.callee(call)?.name == "getattr",
      let arguments = pickle.elements(call.arguments), arguments.count == 2,
      let name = pickle.text(arguments[1])
    else { return nil }
    return (pickle.global(arguments[0])?.module ?? "", last(name))
  }

  private static func last(_ name: String) -> String {
    name.split(separator: ".").last.map(String.init) ?? name
  }

  /// The names of the values that a quantized convolution is pickled as.
  private static let convolutionState = [
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "transposed",
    "output_padding", "groups", "padding_mode", "weight", "bias", "scale", "zero_point", "training",
  ]

  /// The attributes and the tensors of a quantized convolution.
  static func convolution(
    _ state: [Pickle.Reference]
  ) -> (attributes: [Item], tensors: [Item])? {
    guard state.count == convolutionState.count else { return nil }
    let items: [Item] = Array(zip(convolutionState, state).map { ($0, $1) })
    let isTensor = { (item: Item) in item.name == "weight" || item.name == "bias" }
    return (items.filter { !isTensor($0) }, items.filter(isTensor))
  }
}

extension Pickle {
  /// The elements of a set, as protocol 4 writes it or as older ones do.
  func setElements(_ reference: Reference) -> [Reference] {
    switch self[reference] {
    case .set(let index): lists[index]
    case .object(let index):
      (elements(objects[index].arguments)?.first).flatMap(elements) ?? []
    default: []
    }
  }
}
