import JSONText
import TensorCore

/// The steps of construction that a model description lists.
extension ModelDescriptionReader {
  /// The draws as steps of the root's construction.
  static func steps(_ draws: [JSONObject], in root: Module) throws -> [ConstructionStep] {
    var tensors = Dictionary(
      keepingFirst: root.namedTensors(removeDuplicates: false).map { ($0.name, $0) })
    func name(_ object: JSONObject, _ key: String) throws -> String {
      let name = try object.requiredText(key)
      guard tensors[TensorName(name)] != nil else {
        throw object.error(key, "expected the name of a tensor of the model, found '\(name)'")
      }
      return name
    }
    func keys(_ object: JSONObject, _ allowed: Set<String>) throws {
      let other = ModelDescription.drawKeys.subtracting(allowed).sorted().first { object.has($0) }
      if let other { throw object.error(other, "'\(other)' does not belong to this kind of draw") }
    }
    func rule(_ object: JSONObject) throws -> any Initializer {
      if object.has("data"), !object.has("rule"), let data = try object.data("data") {
        return LiteralValues(data)
      }
      guard !object.has("data"), let initializer = try object.initializer("rule") else {
        throw object.error("rule", "expected an initializer, found no rule")
      }
      return initializer
    }
    var saved: Set<String> = []
    let steps = try draws.map { object -> ConstructionStep in
      if let allowed = DerivedStep.keys(of: object) {
        try keys(object, allowed)
        let step = try DerivedStep(object) { key in
          // `name` has found it.
          guard let tensor = tensors[TensorName(try name(object, key))] else {
            throw object.expected("the name of a tensor", at: key)
          }
          return tensor
        }
        switch step {
        case .scratch(let name, let shape, let dtype):
          let tensor = NamedTensor(
            name: TensorName(name),
            role: .parameter(Parameter(name, shape: shape, dtype: dtype, nil)),
            original: TensorName(name))
          guard tensors.updateValue(tensor, forKey: tensor.name) == nil else {
            throw object.error("scratch", "expected a new name, found '\(name)'")
          }
        case .save(let name): saved.insert(name)
        case .restore(let name) where !saved.contains(name):
          throw object.error("restore", "expected a name that was saved, found '\(name)'")
        default: break
        }
        return .derived(step)
      }
      if object.has("fill") {
        try keys(object, ["fill", "rule", "data", "elements", "part"])
        let target = try name(object, "fill")
        if let part = try object.text("part") {
          let shape = tensors[TensorName(target)]?.shape ?? .scalar
          do {
            let view = try TensorPart(part, column: 1)
              .resolved(in: shape, sizes: NumberContext(shape: shape))
            return .fillView(target, view, try rule(object))
          } catch let error as CheckpointError {
            throw object.error("part", error.message)
          }
        }
        guard let elements = try object.counts("elements") else {
          return .fill(target, try rule(object))
        }
        let count = tensors[TensorName(target)]?.shape.elementCount ?? 0
        guard elements.count == 2, elements[0] <= elements[1], elements[1] <= count else {
          throw object.error(
            "elements", "expected two numbers, at most \(count), found elements \(elements)")
        }
        return .fillPart(target, elements[0]..<elements[1], try rule(object))
      }
      let dtype = try object.dtype("dtype")
      if let shape = try object.shape("discard", of: dtype) {
        try keys(object, ["discard", "rule", "dtype"])
        return .discard(shape: shape, dtype: dtype, try rule(object))
      }
      if object.has("change") {
        try keys(object, ["change", "by"])
        let target = try name(object, "change")
        do {
          return .change(target, try InitializerText.steps(object.requiredText("by")))
        } catch let error as CheckpointError {
          throw object.error("by", error.message)
        }
      }
      if object.has("cast") {
        try keys(object, ["cast", "dtype"])
        guard let dtype = try object.dtype("dtype"), dtype.isFloatingPoint else {
          throw object.error("dtype", "expected a floating-point type")
        }
        return .cast(try name(object, "cast"), dtype)
      }
      if object.has("advance") {
        try keys(object, ["advance"])
        return .advance(words: try object.count("advance"))
      }
      if object.has("copy") {
        try keys(object, ["copy", "to"])
        let (source, target) = (try name(object, "copy"), try name(object, "to"))
        try requireAlike(tensors[TensorName(source)], tensors[TensorName(target)], object)
        return .copy(of: source, to: target)
      }
      if object.has("norms") {
        try keys(object, ["norms", "to", "dimension"])
        let (source, target) = (try name(object, "norms"), try name(object, "to"))
        let dimension = try object.has("dimension") ? object.countOrNull("dimension") : 0
        let shape = tensors[TensorName(source)]?.shape ?? .scalar
        guard dimension.map({ $0 < shape.count }) ?? true else {
          throw object.error("dimension", "shape \(shape) has no such dimension")
        }
        return .norms(of: source, to: target, along: dimension)
      }
      if object.has("powers") {
        try keys(object, ["powers", "u", "v", "rows"])
        let weight = try name(object, "powers")
        let (u, v, rows) = (
          try name(object, "u"), try name(object, "v"), try object.count("rows")
        )
        let shape = tensors[TensorName(weight)]?.shape ?? .scalar
        guard rows < shape.count,
          tensors[TensorName(u)].map({ $0.shape == [shape[rows]] }) ?? false,
          case let width = shape.product(along: ..<rows) * shape.product(along: (rows + 1)...),
          tensors[TensorName(v)].map({ $0.shape == [width] }) ?? false
        else {
          throw object.error("powers", "the vectors do not match the weight's shape \(shape)")
        }
        return .powerMethod(weight: weight, u: u, v: v, rows: rows)
      }
      guard object.has("normalize") else {
        throw object.error(
          nil,
          "expected fill, change, cast, discard, advance, copy, norms, normalize, powers, scratch, set, "
            + "combine, seed, save, or restore, found none"
        )
      }
      try keys(object, ["normalize"])
      return .normalize(try name(object, "normalize"))
    }
    return steps + [.remainder]
  }

  private static func requireAlike(
    _ source: NamedTensor?, _ target: NamedTensor?, _ object: JSONObject
  ) throws {
    guard let source, let target, source.shape == target.shape,
      source.dtype(inModelOf: .float32) == target.dtype(inModelOf: .float32)
    else {
      throw object.error(
        "to", "expected a tensor of the same shape and type as the one copied")
    }
  }
}
