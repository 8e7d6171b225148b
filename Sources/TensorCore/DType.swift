/// The type of a tensor's elements; the raw value is the name that safetensors gives it, and for
/// GGUF's quantised types the name that `ggml` gives it.
///
/// Source: safetensors 0.8 `tensor.rs`, enum `Dtype`; `complex128` is PyTorch's and HDF5's addition;
/// gguf 0.19 `constants.py`, `GGMLQuantizationType`.
public enum DType: String, Sendable, Hashable, CaseIterable {
  case bool = "BOOL"
  case float4e2m1 = "F4"
  case float6e2m3 = "F6_E2M3"
  case float6e3m2 = "F6_E3M2"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case float8e8m0 = "F8_E8M0"
  case float8e4m3fnuz = "F8_E4M3FNUZ"
  case float8e5m2fnuz = "F8_E5M2FNUZ"
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

  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q8_0 = "Q8_0"
  case q8_1 = "Q8_1"
  case q2k = "Q2_K"
  case q3k = "Q3_K"
  case q4k = "Q4_K"
  case q5k = "Q5_K"
  case q6k = "Q6_K"
  case q8k = "Q8_K"
  case iq2xxs = "IQ2_XXS"
  case iq2xs = "IQ2_XS"
  case iq3xxs = "IQ3_XXS"
  case iq1s = "IQ1_S"
  case iq4nl = "IQ4_NL"
  case iq3s = "IQ3_S"
  case iq2s = "IQ2_S"
  case iq4xs = "IQ4_XS"
  case iq1m = "IQ1_M"
  case tq1_0 = "TQ1_0"
  case tq2_0 = "TQ2_0"
  case mxfp4 = "MXFP4"
  case nvfp4 = "NVFP4"
  case q1_0 = "Q1_0"

  /// Elements that are stored together, and the bytes they take; a tensor holds whole blocks.
  public var block: (elements: Int, bytes: Int) {
    switch self {
    case .bool, .uint8, .int8: (1, 1)
    case .float8e5m2, .float8e4m3, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz: (1, 1)
    case .int16, .uint16, .float16, .bfloat16: (1, 2)
    case .int32, .uint32, .float32: (1, 4)
    case .complex64, .float64, .int64, .uint64: (1, 8)
    case .complex128: (1, 16)
    case .float4e2m1: (2, 1)
    case .float6e2m3, .float6e3m2: (4, 3)
    case .q4_0, .iq4nl: (32, 18)
    case .q4_1: (32, 20)
    case .q5_0: (32, 22)
    case .q5_1: (32, 24)
    case .q8_0: (32, 34)
    case .q8_1: (32, 40)
    case .q2k: (256, 84)
    case .q3k, .iq3s: (256, 110)
    case .q4k: (256, 144)
    case .q5k: (256, 176)
    case .q6k: (256, 210)
    case .q8k: (256, 292)
    case .iq2xxs, .tq2_0: (256, 66)
    case .iq2xs: (256, 74)
    case .iq3xxs: (256, 98)
    case .iq1s: (256, 50)
    case .iq2s: (256, 82)
    case .iq4xs: (256, 136)
    case .iq1m: (256, 56)
    case .tq1_0: (256, 54)
    case .mxfp4: (32, 17)
    case .nvfp4: (64, 36)
    case .q1_0: (128, 18)
    }
  }

  /// Bytes that one element takes, or one block of a type whose elements have no bytes of their own.
  public var byteWidth: Int { block.bytes }

  /// Whether each element has bytes of its own, so that values can be read; others are listed,
  /// hashed, compared as bytes and copied.
  public var isComputable: Bool { block.elements == 1 }

  /// The types that ``isComputable`` holds for.
  public static let computable = allCases.filter(\.isComputable)

  /// The name after `torch.` in PyTorch, as users write it: `float32`, `bfloat16`; for types that
  /// PyTorch does not have, the name in lower case.
  public var torchName: String {
    switch self {
    case .bool: "bool"
    case .uint8: "uint8"
    case .int8: "int8"
    case .float4e2m1: "float4_e2m1fn_x2"
    case .float8e5m2: "float8_e5m2"
    case .float8e4m3: "float8_e4m3fn"
    case .float8e8m0: "float8_e8m0fnu"
    case .float8e4m3fnuz: "float8_e4m3fnuz"
    case .float8e5m2fnuz: "float8_e5m2fnuz"
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
    default: rawValue.lowercased()
    }
  }

  /// Finds a type by PyTorch's name (`float32`) or by safetensors' (`F32`); `nil` if there is none.
  public init?(named text: String) {
    guard let found = Self.allCases.first(where: { $0.torchName == text || $0.rawValue == text })
    else { return nil }
    self = found
  }

  /// Whether elements are real floating-point numbers whose values can be read.
  public var isFloatingPoint: Bool {
    switch self {
    case .float8e5m2, .float8e4m3, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz: true
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }
}
