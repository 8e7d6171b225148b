/// Names of element types in text.
extension DType {
  /// The name after `torch.` in PyTorch, as users write it: `float32`, `bfloat16`; for types that
  /// PyTorch does not have, the name in lower case.
  public var torchName: String { element.torchName ?? rawValue.lowercased() }

  /// Finds a type by PyTorch's name (`float32`) or by safetensors' (`F32`), spelled exactly so, as
  /// in files; `nil` if there is none.
  public init?(named text: String) {
    guard let found = Self.allCases.first(where: { $0.torchName == text || $0.rawValue == text })
    else { return nil }
    self = found
  }

  /// Finds a type by a name as people write it: those of ``init(named:)``, `torch.` before them,
  /// short forms (`bf16`, `fp16`, `half`, `fp8_e4m3`), in capital or small letters; `nil` if there is
  /// none.
  package init?(spelled text: String) {
    var name = text.lowercased()
    if name.hasPrefix("torch.") { name.removeFirst(6) }
    guard
      let found = Self.shortNames[name]
        ?? Self.allCases.first(where: { $0.torchName == name || $0.rawValue.lowercased() == name })
    else { return nil }
    self = found
  }

  /// Further names: PyTorch's aliases, and those of Transformers, vLLM, JAX, and ONNX.
  private static let shortNames: [String: DType] = [
    "double": .float64, "fp64": .float64, "float": .float32, "fp32": .float32, "half": .float16,
    "fp16": .float16, "bfloat": .bfloat16, "float8_e4m3": .float8e4m3, "f8_e4m3fn": .float8e4m3,
    "fp8_e4m3": .float8e4m3, "fp8_e4m3fn": .float8e4m3, "fp8_e5m2": .float8e5m2,
    "f8_e8m0fnu": .float8e8m0, "float8_e8m0": .float8e8m0, "fp8_e8m0": .float8e8m0,
    "fp8_e8m0fnu": .float8e8m0, "fp8_e4m3fnuz": .float8e4m3fnuz, "fp8_e5m2fnuz": .float8e5m2fnuz,
    "long": .int64, "int": .int32, "short": .int16, "cfloat": .complex64, "cdouble": .complex128,
  ]
}

extension Sequence<DType> {
  /// The types' names as a choice: `float32, float64 or bfloat16`.
  package var alternatives: String {
    let names = map(\.torchName)
    guard let last = names.last, names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}
