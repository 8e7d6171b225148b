import CKernelVariants
import CKernels

/// The clones of the kernels for one instruction set.
@safe struct KernelSet: CustomStringConvertible, @unchecked Sendable {
  typealias Words = UnsafePointer<UInt32>
  typealias Target = UnsafeMutableRawPointer

  let description: String
  let twist: @convention(c) (UnsafeMutablePointer<UInt32>?, Int) -> Void
  let temper: @convention(c) (Words?, UnsafeMutablePointer<UInt32>?, Int) -> Void
  let blocks:
    @convention(c) (UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<UInt32>?, Int) -> Void
  let advance:
    @convention(c) (
      UnsafePointer<UInt64>?, UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<UInt32>?
    ) -> Void
  let seedNear:
    @convention(c) (
      UInt32, Int, UInt32, UInt32, UInt32, UInt32, UnsafeMutablePointer<UInt32>?
    ) -> Int
  let seedSieve:
    @convention(c) (
      UInt32, Int, UInt32, UInt32, Words?, UnsafeMutablePointer<UInt32>?
    ) -> Int
  let seedWord: @convention(c) (UInt32, Words?) -> UInt32
  typealias Uniform = @convention(c) (Words?, Target?, Int, Float, Float, Bool) -> Void
  let uniformFloat32: Uniform
  let uniformBFloat16: Uniform
  let uniformFloat16: Uniform
  let uniformFloat64: @convention(c) (Words?, Target?, Int, Double, Double, Bool) -> Void
  typealias Normal = @convention(c) (Words?, Target?, Int, Float, Float) -> Void
  let normalFloat32: Normal
  let normalFloat64: @convention(c) (Words?, Target?, Int, Double, Double) -> Void
  let normalBFloat16: Normal
  let normalFloat16: Normal
  let normalPair: @convention(c) (UInt64, UInt64) -> ckpt_pair

  /// The sets that this machine can run.
  static var all: [KernelSet] {
    var sets = unsafe [
      KernelSet(
        description: "plain", twist: variant_plain_mt19937_twist,
        temper: variant_plain_mt19937_temper, blocks: variant_plain_mt19937_blocks,
        advance: variant_plain_mt19937_advance,
        seedNear: variant_plain_seed_near, seedSieve: variant_plain_seed_sieve,
        seedWord: variant_plain_seed_word,
        uniformFloat32: variant_plain_uniform_float32,
        uniformBFloat16: variant_plain_uniform_bfloat16,
        uniformFloat16: variant_plain_uniform_float16,
        uniformFloat64: variant_plain_uniform_float64,
        normalFloat32: variant_plain_normal_float32,
        normalFloat64: variant_plain_normal_float64,
        normalBFloat16: variant_plain_normal_bfloat16,
        normalFloat16: variant_plain_normal_float16, normalPair: variant_plain_normal_pair)
    ]
    if variant_is_supported(Int32(VARIANT_V3)) {
      sets.append(
        unsafe KernelSet(
          description: "x86-64-v3", twist: variant_v3_mt19937_twist,
          temper: variant_v3_mt19937_temper, blocks: variant_v3_mt19937_blocks,
          advance: variant_v3_mt19937_advance,
          seedNear: variant_v3_seed_near, seedSieve: variant_v3_seed_sieve,
          seedWord: variant_v3_seed_word,
          uniformFloat32: variant_v3_uniform_float32,
          uniformBFloat16: variant_v3_uniform_bfloat16,
          uniformFloat16: variant_v3_uniform_float16,
          uniformFloat64: variant_v3_uniform_float64,
          normalFloat32: variant_v3_normal_float32,
          normalFloat64: variant_v3_normal_float64,
          normalBFloat16: variant_v3_normal_bfloat16,
          normalFloat16: variant_v3_normal_float16, normalPair: variant_v3_normal_pair))
    }
    if variant_is_supported(Int32(VARIANT_V4)) {
      sets.append(
        unsafe KernelSet(
          description: "x86-64-v4", twist: variant_v4_mt19937_twist,
          temper: variant_v4_mt19937_temper, blocks: variant_v4_mt19937_blocks,
          advance: variant_v4_mt19937_advance,
          seedNear: variant_v4_seed_near, seedSieve: variant_v4_seed_sieve,
          seedWord: variant_v4_seed_word,
          uniformFloat32: variant_v4_uniform_float32,
          uniformBFloat16: variant_v4_uniform_bfloat16,
          uniformFloat16: variant_v4_uniform_float16,
          uniformFloat64: variant_v4_uniform_float64,
          normalFloat32: variant_v4_normal_float32,
          normalFloat64: variant_v4_normal_float64,
          normalBFloat16: variant_v4_normal_bfloat16,
          normalFloat16: variant_v4_normal_float16, normalPair: variant_v4_normal_pair))
    }
    return sets
  }
}
