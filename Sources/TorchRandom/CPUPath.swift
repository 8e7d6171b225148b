package import TensorCore

/// The paths of PyTorch's CPU build, chosen by what the processor can do, whose values differ.
///
/// The names are those of `ATEN_CPU_CAPABILITY`; `avx512` gives the bytes of `avx2`.
public enum CPUPath: String, Hashable, Sendable, CaseIterable {
  /// Processors with AVX2 and fused multiply-add: practically all x86 machines of today.
  case avx2
  /// Older x86 processors, or `ATEN_CPU_CAPABILITY=default`.
  ///
  /// Uniforms are scaled, then shifted, and rounded each time, and so are serial normals. Vector
  /// normals other than `float64` take the C library's `logf`, `sinf` and `cosf`, and an angle
  /// that is multiplied in `float64`. The last scaling of vector normals is fused here too.
  case `default`

  /// Finds a path by its name.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `unsupported`.
  package init(named name: String) throws(CheckpointError) {
    guard let path = Self(rawValue: name) else {
      let names = Self.allCases.map(\.rawValue).joined(separator: " or ")
      throw CheckpointError(.unsupported, "unknown CPU path '\(name)': expected \(names)")
    }
    self = path
  }

  /// Whether uniforms and serial normals are scaled and shifted in one operation.
  var fuses: Bool { self == .avx2 }
}
