public import ModuleTree
public import TensorCore
public import TorchRandom

/// Everything needed to reproduce a checkpoint's values: a seed, and steps on one generator.
///
/// A recipe is stored as JSON in a checkpoint's metadata under `Checkpoint.recipeKey` (see
/// `Recipe+JSON.swift`) and written by people as a text file with one statement per line (see
/// ``init(text:loadModel:)`` and the article *Recipes*). Both are parsed once, here it is typed values.
public struct Recipe: Sendable {
  /// Something done to the values, continuing with the same generator unless it says otherwise.
  public enum Step: Sendable {
    /// Draws are made and thrown away.
    case skip(Skip)
    /// A model is constructed.
    case construct(Construction)
    /// Rules are applied to all that was constructed so far, in a loop over its modules.
    case rules([Rule], order: Rule.Order)
    /// Up to here another layer stood at this path; now the model's own takes its place.
    case replace(String, was: Layer)
    /// The selected tensors, all without a selector, are rounded to another floating-point type.
    case cast(DType, Selector?)
    /// The values of one module or tensor are given to another; one that was not constructed is a
    /// deep copy.
    case give(String, to: String)
    /// Only the selected tensors are kept.
    case keep(match: [Selector], exclude: [Selector])
    /// Some tensors were redrawn with a fresh generator.
    case reinitialize(Reinitialization)
    /// Some tensors were copied from the checkpoint with this fingerprint; only the selectors of
    /// the reinitialization matter.
    case copy(Reinitialization, from: String)
  }

  /// A model that is constructed, and where it stands.
  public struct Construction: Sendable {
    /// The model.
    public var model: Model
    /// Dotted path of the model among all that a recipe constructs; empty for the only one.
    public var prefix: String
    /// Rules applied to each of its modules as soon as it was built, before the next.
    public var rules: [Rule]

    /// Places a model.
    public init(_ model: Model, as prefix: String = "", rules: [Rule] = []) {
      self.model = model
      self.prefix = prefix
      self.rules = rules
    }
  }

  /// A layer as a script calls it: `Linear(512, 1000)`.
  public struct Layer: Sendable, CustomStringConvertible {
    /// The text that was read.
    public let description: String
    let module: Module

    /// Reads the call of a constructor of `torch.nn`, or of `Sequential` with such calls in it.
    ///
    /// - Throws: `CheckpointError` with code `malformed`.
    public init(_ text: String) throws {
      description = text
      module = try LayerText.module(text)
    }
  }

  /// Argument of `torch.manual_seed`; `nil` when the values came from elsewhere, so that only the
  /// tensors that were redrawn can be reproduced.
  public var seed: Seed? = Seed(0)
  /// The library whose constructors build the models.
  public var library = Library.torch
  /// PyTorch's default dtype during construction.
  public var dtype = DType.float32
  /// PyTorch's CPU path whose values these are.
  public var cpuPath = CPUPath.avx2
  /// What is done, in order.
  public var steps: [Step] = []

  /// A recipe of some steps; without any, it is empty.
  public init(
    seed: Seed? = Seed(0), library: Library = .torch, dtype: DType = .float32,
    cpuPath: CPUPath = .avx2, steps: [Step] = []
  ) {
    self.seed = seed
    self.library = library
    self.dtype = dtype
    self.cpuPath = cpuPath
    self.steps = steps
  }

  /// The recipe of a checkpoint whose values came from elsewhere, before its first redraw.
  init(valuesFromElsewhereFor tree: Checkpoint.Tree) throws {
    // A guess is not written down: it is made again from the same names and shapes.
    model = try tree.isInferred ? nil : tree.model()
    seed = nil
  }

  /// Finds a dtype that layers can be built in.
  package static func floatingPoint(named text: String) throws -> DType {
    guard let dtype = DType(spelled: text), dtype.isFloatingPoint else {
      throw CheckpointError(
        .unsupported,
        "unknown dtype '\(text)': expected \(DType.floatingPoint.alternatives)"
          + (nearestName(to: text, among: DType.floatingPoint.map(\.torchName)).map { [$0] } ?? [])
          .question)
    }
    return dtype
  }
}

/// The parts of simple recipes: one model, rules after it.
extension Recipe {
  /// What is constructed, in order.
  public var constructions: [Construction] {
    steps.compactMap { step -> Construction? in
      if case .construct(let construction) = step { construction } else { nil }
    }
  }

  /// The model that is constructed; of several, one module that holds them all.
  ///
  /// `nil` without one. Setting it replaces all that is constructed.
  public var model: Model? {
    get { try? combinedModel() }
    set {
      let place = steps.firstIndex { step in
        if case .construct = step { true } else { false }
      }
      let rules = constructions.flatMap(\.rules)
      steps.removeAll { step in
        if case .construct = step { true } else { false }
      }
      guard let newValue else { return }
      let first = steps.firstIndex { if case .skip = $0 { false } else { true } } ?? steps.count
      steps.insert(.construct(Construction(newValue, rules: rules)), at: place ?? first)
    }
  }

  /// Rules applied after construction.
  ///
  /// Setting them replaces all of them by one loop.
  public var rules: [Rule] {
    get {
      steps.flatMap { step -> [Rule] in
        if case .rules(let rules, _) = step { rules } else { [] }
      }
    }
    set { setRules(newValue, order: order) }
  }

  /// Order in which the rules walk the tree.
  ///
  /// Setting it changes all loops.
  public var order: Rule.Order {
    get {
      for step in steps {
        if case .rules(_, let order) = step { return order }
      }
      return .modules
    }
    set {
      if rules.isEmpty { return setRules([], order: newValue) }
      for index in steps.indices {
        guard case .rules(let rules, _) = steps[index] else { continue }
        steps[index] = .rules(rules, order: newValue)
      }
    }
  }

  private mutating func setRules(_ rules: [Rule], order: Rule.Order) {
    steps.removeAll { step in
      if case .rules = step { true } else { false }
    }
    if rules.isEmpty && order == .modules { return }
    let last = steps.lastIndex { step in
      switch step {
      case .construct, .skip, .replace: true
      default: false
      }
    }
    steps.insert(.rules(rules, order: order), at: last.map { $0 + 1 } ?? 0)
  }

  /// Leaves out what happened to the values after they were drawn for the first time.
  package mutating func removeRedraws() {
    steps.removeAll { step in
      switch step {
      case .reinitialize, .copy, .keep: true
      default: false
      }
    }
  }
}

extension Checkpoint {
  /// The recipe stored in the checkpoint's metadata; `nil` if there is none.
  ///
  /// - Throws: `CheckpointError` naming the first key whose value is unknown.
  public func recipe() throws(CheckpointError) -> Recipe? {
    guard let text = metadata[Self.recipeKey] else { return nil }
    return try Recipe(json: text)
  }
}
