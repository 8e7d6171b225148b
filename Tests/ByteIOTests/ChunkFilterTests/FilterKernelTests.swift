import CKernelVariants
import TestSupport
import Testing

@Suite struct FilterKernelTests {
  /// Sets of instructions other than the plain one.
  enum Variant: Int32, CaseIterable {
    case v3 = 1
    case v4
  }

  /// Those that this machine can run.
  static let variants = Variant.allCases.filter { variant_is_supported($0.rawValue) }

  /// Words and what the other bytes are.
  static let inputs = [1, 2, 4, 8].flatMap { width in
    filterCounts.flatMap { count in
      [FilterSample.noise, .mostlyZeros, .subnormal, .special].map { sample in
        (width: width, count: count, bytes: sample.words(count, width: width).bytes(width: width))
      }
    }
  }
  static let others = noise(8 * 4097 + 4096, seed: 7)

  private func result(
    _ set: Int, _ kernel: Int, _ bytes: [UInt8], _ count: Int, _ width: Int
  ) -> (answer: Int, bytes: [UInt8]) {
    var target = [UInt8](repeating: 0, count: (width + 8) * count + 1024)
    let answer = unsafe variant_filter(
      Int32(set), Int32(kernel), bytes, Self.others, count, width, &target)
    return (answer, target)
  }

  @Test(arguments: variants, 0..<Int(VARIANT_FILTERS))
  func `every clone writes the same`(_ variant: Variant, kernel: Int) {
    // Sparse words are not of one byte, and levels are of two or four.
    let widths =
      switch kernel {
      case 13...16: 2...8
      case 17...20: 2...4
      default: 1...8
      }
    for (width, count, bytes) in Self.inputs where widths.contains(width) {
      let plain = result(VARIANT_PLAIN, kernel, bytes, count, width)
      let clone = result(Int(variant.rawValue), kernel, bytes, count, width)
      #expect(clone.answer == plain.answer, "\(count) of \(width) bytes")
      #expect(clone.bytes == plain.bytes, "\(count) of \(width) bytes")
    }
  }
}
