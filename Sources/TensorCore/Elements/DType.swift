/// The type of a tensor's elements; the raw value is the name that safetensors gives it, and for
/// GGUF's quantized types the name that `ggml` gives it.
///
/// Source: safetensors 0.8 `tensor.rs`, enum `Dtype`; `complex128` is PyTorch's and HDF5's addition;
/// gguf 0.19 `constants.py`, `GGMLQuantizationType`.
public enum DType: String, Sendable, Hashable, CaseIterable {
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// Two elements in a byte, each of a sign, 2 bits of exponent, and 1 of mantissa.
  case float4e2m1 = "F4"
  /// Four elements in 3 bytes, each of a sign, 2 bits of exponent, and 3 of mantissa.
  case float6e2m3 = "F6_E2M3"
  /// Four elements in 3 bytes, each of a sign, 3 bits of exponent, and 2 of mantissa.
  case float6e3m2 = "F6_E3M2"
  /// An unsigned integer of 8 bits.
  case uint8 = "U8"
  /// A signed integer of 8 bits.
  case int8 = "I8"
  /// 8 bits: 5 of exponent, 2 of mantissa, with infinities.
  case float8e5m2 = "F8_E5M2"
  /// 8 bits: 4 of exponent, 3 of mantissa, without infinities.
  case float8e4m3 = "F8_E4M3"
  /// 8 bits of exponent: a power of two.
  case float8e8m0 = "F8_E8M0"
  /// 8 bits: 4 of exponent, 3 of mantissa, without infinities or a negative zero.
  case float8e4m3fnuz = "F8_E4M3FNUZ"
  /// 8 bits: 5 of exponent, 2 of mantissa, without infinities or a negative zero.
  case float8e5m2fnuz = "F8_E5M2FNUZ"
  /// A signed integer of 16 bits.
  case int16 = "I16"
  /// An unsigned integer of 16 bits.
  case uint16 = "U16"
  /// IEEE 754 binary16.
  case float16 = "F16"
  /// The upper half of a float32: 8 bits of exponent, 7 of mantissa.
  case bfloat16 = "BF16"
  /// A signed integer of 32 bits.
  case int32 = "I32"
  /// An unsigned integer of 32 bits.
  case uint32 = "U32"
  /// IEEE 754 binary32.
  case float32 = "F32"
  /// Two float32: the real part, then the imaginary one.
  case complex64 = "C64"
  /// IEEE 754 binary64.
  case float64 = "F64"
  /// A signed integer of 64 bits.
  case int64 = "I64"
  /// An unsigned integer of 64 bits.
  case uint64 = "U64"
  /// Two float64: the real part, then the imaginary one.
  case complex128 = "C128"

  /// Blocks of 32 elements in 18 bytes.
  case q4_0 = "Q4_0"
  /// Blocks of 32 elements in 20 bytes.
  case q4_1 = "Q4_1"
  /// Blocks of 32 elements in 22 bytes.
  case q5_0 = "Q5_0"
  /// Blocks of 32 elements in 24 bytes.
  case q5_1 = "Q5_1"
  /// Blocks of 32 elements in 34 bytes.
  case q8_0 = "Q8_0"
  /// Blocks of 32 elements in 40 bytes.
  case q8_1 = "Q8_1"
  /// Blocks of 256 elements in 84 bytes.
  case q2k = "Q2_K"
  /// Blocks of 256 elements in 110 bytes.
  case q3k = "Q3_K"
  /// Blocks of 256 elements in 144 bytes.
  case q4k = "Q4_K"
  /// Blocks of 256 elements in 176 bytes.
  case q5k = "Q5_K"
  /// Blocks of 256 elements in 210 bytes.
  case q6k = "Q6_K"
  /// Blocks of 256 elements in 292 bytes.
  case q8k = "Q8_K"
  /// Blocks of 256 elements in 66 bytes.
  case iq2xxs = "IQ2_XXS"
  /// Blocks of 256 elements in 74 bytes.
  case iq2xs = "IQ2_XS"
  /// Blocks of 256 elements in 98 bytes.
  case iq3xxs = "IQ3_XXS"
  /// Blocks of 256 elements in 50 bytes.
  case iq1s = "IQ1_S"
  /// Blocks of 32 elements in 18 bytes.
  case iq4nl = "IQ4_NL"
  /// Blocks of 256 elements in 110 bytes.
  case iq3s = "IQ3_S"
  /// Blocks of 256 elements in 82 bytes.
  case iq2s = "IQ2_S"
  /// Blocks of 256 elements in 136 bytes.
  case iq4xs = "IQ4_XS"
  /// Blocks of 256 elements in 56 bytes.
  case iq1m = "IQ1_M"
  /// Blocks of 256 elements in 54 bytes.
  case tq1_0 = "TQ1_0"
  /// Blocks of 256 elements in 66 bytes.
  case tq2_0 = "TQ2_0"
  /// Blocks of 32 elements in 17 bytes.
  case mxfp4 = "MXFP4"
  /// Blocks of 64 elements in 36 bytes.
  case nvfp4 = "NVFP4"
  /// Blocks of 128 elements in 18 bytes.
  case q1_0 = "Q1_0"

  /// The type's row of the table: everything that code needs to know of it.
  package var element: ElementType {
    switch self {
    case .bool: .scalar(.boolean, BooleanCoding.self, bytes: 1, "bool")
    case .float4e2m1: .packed(2, bytes: 1, "float4_e2m1fn_x2")
    case .float6e2m3: .packed(4, bytes: 3)
    case .float6e3m2: .packed(4, bytes: 3)
    case .uint8: .integer(UInt8.self, "uint8")
    case .int8: .integer(Int8.self, "int8")
    case .float8e5m2: .float(Float8E5M2.self, "float8_e5m2")
    case .float8e4m3: .float(Float8E4M3.self, "float8_e4m3fn")
    case .float8e8m0: .float(Float8E8M0.self, "float8_e8m0fnu")
    case .float8e4m3fnuz: .float(Float8E4M3FNUZ.self, "float8_e4m3fnuz")
    case .float8e5m2fnuz: .float(Float8E5M2FNUZ.self, "float8_e5m2fnuz")
    case .int16: .integer(Int16.self, "int16")
    case .uint16: .integer(UInt16.self, "uint16")
    case .float16: .float(Float16Coding.self, "float16")
    case .bfloat16: .float(BFloat16Coding.self, "bfloat16")
    case .int32: .integer(Int32.self, "int32")
    case .uint32: .integer(UInt32.self, "uint32")
    case .float32: .float(Float32Coding.self, "float32")
    case .complex64: .complex(Float32Coding.self, of: .float32, "complex64")
    case .float64: .float(Float64Coding.self, "float64")
    case .int64: .integer(Int64.self, "int64")
    case .uint64: .integer(UInt64.self, "uint64")
    case .complex128: .complex(Float64Coding.self, of: .float64, "complex128")

    case .q4_0: .packed(32, bytes: 18)
    case .q4_1: .packed(32, bytes: 20)
    case .q5_0: .packed(32, bytes: 22)
    case .q5_1: .packed(32, bytes: 24)
    case .q8_0: .packed(32, bytes: 34)
    case .q8_1: .packed(32, bytes: 40)
    case .q2k: .packed(256, bytes: 84)
    case .q3k: .packed(256, bytes: 110)
    case .q4k: .packed(256, bytes: 144)
    case .q5k: .packed(256, bytes: 176)
    case .q6k: .packed(256, bytes: 210)
    case .q8k: .packed(256, bytes: 292)
    case .iq2xxs: .packed(256, bytes: 66)
    case .iq2xs: .packed(256, bytes: 74)
    case .iq3xxs: .packed(256, bytes: 98)
    case .iq1s: .packed(256, bytes: 50)
    case .iq4nl: .packed(32, bytes: 18)
    case .iq3s: .packed(256, bytes: 110)
    case .iq2s: .packed(256, bytes: 82)
    case .iq4xs: .packed(256, bytes: 136)
    case .iq1m: .packed(256, bytes: 56)
    case .tq1_0: .packed(256, bytes: 54)
    case .tq2_0: .packed(256, bytes: 66)
    case .mxfp4: .packed(32, bytes: 17)
    case .nvfp4: .packed(64, bytes: 36)
    case .q1_0: .packed(128, bytes: 18)
    }
  }

  /// Elements that are stored together, and the bytes they take; a tensor holds whole blocks.
  public var block: (elements: Int, bytes: Int) { element.block }

  /// Bytes that one element takes, or one block of a type whose elements have no bytes of their own.
  public var byteWidth: Int { element.block.bytes }

  /// Whether each element has bytes of its own, so that values can be read; others are listed,
  /// hashed, compared as bytes and copied.
  public var isComputable: Bool { element.kind != .packed }

  /// Whether elements are real floating-point numbers: values can be rounded to the type.
  public var isFloatingPoint: Bool { element.floatFormat != nil }

  /// Whether elements have a real part and an imaginary part.
  package var isComplex: Bool { if case .complex = element.kind { true } else { false } }

  /// Whether elements are integers, truth values not among them.
  package var isInteger: Bool { if case .integer = element.kind { true } else { false } }

  /// The types that ``isComputable`` holds for.
  package static let computable = allCases.filter(\.isComputable)

  /// The types that ``isFloatingPoint`` holds for, wide ones first.
  package static let floatingPoint = [8, 4, 2, 1].flatMap { width in
    allCases.filter { $0.isFloatingPoint && $0.byteWidth == width }
  }
}
