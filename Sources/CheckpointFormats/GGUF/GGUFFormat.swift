import ByteIO
import TensorCore

/// The GGUF format as a value.
extension CheckpointFormat {
  /// The format of ggml and llama.cpp: typed metadata, then tensors, including quantized ones, which
  /// are copied unchanged; also split files, `NAME-00001-of-00003.gguf`.
  ///
  /// Source: github.com/ggml-org/ggml, docs/gguf.md, version 3; gguf 0.19, `constants.py`.
  public static let gguf = CheckpointFormat(
    name: "gguf", extensions: [".gguf"],
    recognizes: { GGUF.recognizes($0) },
    open: { probe, _ in try GGUF.open(probe) },
    write: { try await GGUF.write($0, to: $1, options: $2) },
    fill: { try GGUF.fill($0) },
    capabilities: Capabilities(
      dtypes: GGUF.types.values, values: [.bool, .integer, .real, .text, .list]
    ).writingTiesOut.ofGGUF)
}

/// Signatures, limits, and types of the format.
enum GGUF {
  static let magic = Array("GGUF".utf8)
  /// The version that is written; version 2 reads the same.
  static let version: UInt32 = 3
  static let readVersions: ClosedRange<UInt32> = 2...3

  /// Metadata key of the alignment of tensor data in bytes, and its default.
  static let alignmentKey = "general.alignment"
  static let standardAlignment = 32
  static let maxAlignment = 65_536
  /// Largest number of dimensions (`GGML_MAX_DIMS`).
  static let maxRank = 4

  /// Largest header, in bytes; a large vocabulary takes about 10 MB.
  static let maxHeaderSize = 1 << 26
  static let maxTensors = 10_000_000
  static let maxNameBytes = 1 << 16

  /// Dtypes by ggml's type number.
  static let types: [UInt32: DType] = [
    0: .float32, 1: .float16, 2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0, 9: .q8_1,
    10: .q2k, 11: .q3k, 12: .q4k, 13: .q5k, 14: .q6k, 15: .q8k, 16: .iq2xxs, 17: .iq2xs,
    18: .iq3xxs, 19: .iq1s, 20: .iq4nl, 21: .iq3s, 22: .iq2s, 23: .iq4xs, 24: .int8, 25: .int16,
    26: .int32, 27: .int64, 28: .float64, 29: .iq1m, 30: .bfloat16, 34: .tq1_0, 35: .tq2_0,
    39: .mxfp4, 40: .nvfp4, 41: .q1_0,
  ]

  /// ggml's number of a dtype.
  static func number(of dtype: DType) -> UInt32? { types.first { $0.value == dtype }?.key }

  /// Whether a file begins like a GGUF file, or a folder holds one, possibly split.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    candidate.head.starts(with: magic)
      || !candidate.members(endingIn: ".gguf").isEmpty
        && FolderModel.isOpen(candidate, to: [".gguf"])
  }

  /// The smallest multiple of the alignment that is not below `position`; `nil` beyond 2^63.
  static func aligned(_ position: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = position.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum / alignment * alignment
  }
}

extension Capabilities {
  /// With the limits of names: that of our reader, and `GGML_MAX_NAME`, which counts a NUL at the end.
  fileprivate var ofGGUF: Capabilities {
    var copy = self
    copy.maxNameBytes = GGUF.maxNameBytes
    copy.longNames = (64, "llama.cpp")
    return copy
  }
}
