/// The type of a tensor's elements; the raw value is the name that safetensors gives it.
///
/// Source: safetensors 0.8 `tensor.rs`, enum `Dtype`; `complex128` is PyTorch's and HDF5's addition.
public enum DType: String, Sendable, Hashable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case complex64 = "C64"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"
  case complex128 = "C128"

  /// Bytes that one element takes.
  public var byteWidth: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .complex64, .float64, .int64, .uint64: 8
    case .complex128: 16
    }
  }

  /// The name after `torch.` in PyTorch, as users write it: `float32`, `bfloat16`.
  public var torchName: String {
    switch self {
    case .bool: "bool"
    case .uint8: "uint8"
    case .int8: "int8"
    case .float8e5m2: "float8_e5m2"
    case .float8e4m3: "float8_e4m3fn"
    case .int16: "int16"
    case .uint16: "uint16"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .int32: "int32"
    case .uint32: "uint32"
    case .float32: "float32"
    case .complex64: "complex64"
    case .float64: "float64"
    case .int64: "int64"
    case .uint64: "uint64"
    case .complex128: "complex128"
    }
  }

  /// Finds a type by PyTorch's name (`float32`) or by safetensors' (`F32`); `nil` if there is none.
  public init?(named text: String) {
    guard let found = Self.allCases.first(where: { $0.torchName == text || $0.rawValue == text })
    else { return nil }
    self = found
  }

  /// Whether elements are real floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .float8e5m2, .float8e4m3, .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }
}
