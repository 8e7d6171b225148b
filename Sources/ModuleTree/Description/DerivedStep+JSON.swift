import FoundationEssentials
import JSONText
import TensorCore

/// Derived steps in a model description.
extension DerivedStep {
  /// The keys of each kind of step, the one that tells the kind first.
  private static let kinds: [(kind: String, keys: Set<String>)] = [
    ("scratch", ["scratch", "shape", "dtype"]),
    ("set", ["set", "from", "sizes", "target", "source", "indices", "apply"]),
    ("combine", ["combine", "with", "by", "to"]),
    ("seed", ["seed"]), ("save", ["save"]), ("restore", ["restore"]),
  ]

  /// The keys that the step in an object may have; `nil` for another kind of draw.
  static func keys(of object: JSONObject) -> Set<String>? {
    kinds.first { object.has($0.kind) }?.keys
  }

  /// Reads a step; `name` reads the name of a tensor that is there.
  init(
    _ object: JSONObject, tensor: (_ key: String) throws -> NamedTensor
  ) throws {
    if object.has("scratch") {
      let dtype = try object.dtype("dtype")
      guard let shape = try object.shape("shape", of: dtype) else {
        throw object.expected("a list of sizes", at: "shape")
      }
      self = .scratch(try object.requiredText("scratch"), shape: shape, dtype: dtype)
    } else if object.has("set") {
      let (target, source) = (try tensor("set"), try tensor("from"))
      self = .set(
        target.name.text, from: source.name.text, try Self.placement(object, source, target))
    } else if object.has("combine") {
      let (left, right) = (try tensor("combine"), try tensor("with"))
      let target = try tensor("to")
      guard let sign = Operator(rawValue: try object.requiredText("by")) else {
        throw object.error(
          "by",
          "expected one of \(Operator.allCases.map(\.rawValue).joined(separator: ", ")), found "
            + "'\(try object.requiredText("by"))'")
      }
      guard left.shape.elementCount == target.shape.elementCount,
        right.shape.elementCount == target.shape.elementCount
      else { throw object.error("combine", "expected tensors with as many elements each") }
      self = .combine(left.name.text, right.name.text, by: sign, to: target.name.text)
    } else if object.has("seed") {
      self = .seed(UInt64(try object.count("seed")))
    } else if object.has("save") {
      self = .save(try object.requiredText("save"))
    } else {
      self = .restore(try object.requiredText("restore"))
    }
  }

  private static func placement(
    _ object: JSONObject, _ source: NamedTensor, _ target: NamedTensor
  ) throws -> Placement {
    var operations: [ElementStep] = []
    for text in try object.text("apply")?.split(separator: ";") ?? [] {
      do {
        operations.append(try ElementStep(String(text)))
      } catch {
        throw object.error("apply", error.message)
      }
    }
    let count = target.shape.elementCount
    let indices = try object.data("indices").map { data in
      guard data.count == 4 * count else {
        throw object.error(
          "indices", "indices: expected \(count) indices of 4 bytes, found \(data.count) bytes")
      }
      return stride(from: 0, to: data.count, by: 4).map { start in
        (0..<4).reduce(Int32(0)) {
          $0 | Int32(truncatingIfNeeded: Int(data[start + $1]) << (8 * $1))
        }
      }
    }
    let shape = try object.shape("sizes", of: nil) ?? [count]
    let whole = [0] + (try Shape(shape)).contiguousStrides
    let placement = Placement(
      sizes: shape, target: try object.counts("target") ?? whole,
      source: try object.counts("source") ?? whole, indices: indices,
      operations: operations)
    guard placement.isWithin(target: count, source: source.shape.elementCount) else {
      throw object.error(
        "set", "expected elements within shapes \(target.shape) and \(source.shape), found others")
    }
    return placement
  }

  /// Writes the step's members.
  func write(to json: inout JSONWriter) {
    switch self {
    case .scratch(let name, let shape, let dtype):
      json.members(["scratch": name])
      json.key("shape")
      json.numbers(shape)
      ModelDescriptionWriter.write(dtype, to: &json)
    case .set(let target, let source, let placement):
      json.members(["set": target, "from": source])
      if let indices = placement.indices {
        let bytes = indices.flatMap { index in
          (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) }
        }
        json.members(["indices": Data(bytes).base64EncodedString()])
      } else {
        for (key, numbers) in [
          ("sizes", placement.sizes), ("target", placement.target), ("source", placement.source),
        ] {
          json.key(key)
          json.numbers(numbers)
        }
      }
      if !placement.operations.isEmpty {
        json.members(["apply": placement.operations.map(\.description).joined(separator: "; ")])
      }
    case .combine(let left, let right, let sign, let target):
      json.members(["combine": left, "with": right, "by": sign.rawValue, "to": target])
    case .seed(let seed):
      json.key("seed")
      json.number(Int(truncatingIfNeeded: seed & 0xffff_ffff))
    case .save(let name): json.members(["save": name])
    case .restore(let name): json.members(["restore": name])
    }
  }
}
