import CKernelVariants
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct NormalKernelTests {
  typealias Variant =
    @convention(c) (UnsafePointer<UInt32>?, UnsafeMutableRawPointer?, Int, Float, Float) -> Void

  @Test(arguments: [(0, 1), (0.25, 0.02), (-3, 0), (1e30, 1e-30)] as [(Float, Float)])
  func `every clone gives the reference's bytes`(mean: Float, deviation: Float) {
    // Random words, and those whose uniforms lie at the ends and around the polynomials' seams.
    var words = [UInt32](repeating: 0, count: 16 * 4096)
    var generator = Generator(seed: 5)
    var span = words.mutableSpan
    generator.fill(&span)
    let edges: [UInt32] = (0...15).flatMap { eighth in
      (0...2).map { UInt32(eighth << 20) &+ $0 &- 1 }
    }
    for (row, first) in edges.enumerated() {
      for (column, second) in edges.enumerated() {
        let pair = row * edges.count + column
        words[pair / 8 * 16 + pair % 8] = first
        words[pair / 8 * 16 + pair % 8 + 8] = second
      }
    }
    let expected = ReferenceNormal.values(of: words, mean: mean, deviation: deviation)
      .map(\.bitPattern)
    var variants: [(String, Variant)] = unsafe [("plain", variant_plain_normal_float32)]
    if variant_v3_is_supported() { unsafe variants.append(("v3", variant_v3_normal_float32)) }
    for unsafe(name, variant) in unsafe variants {
      var values = [Float](repeating: 0, count: words.count)
      unsafe variant(&words, &values, words.count / 16, mean, deviation)
      #expect(values.map(\.bitPattern) == expected, "\(name)")
    }
  }
}
