import CKernelVariants
import TestSupport
import Testing

@Suite struct FilterKernelTests {
  typealias Filter =
    @convention(c) (
      Int32, UnsafePointer<UInt8>?, UnsafePointer<UInt8>?, Int, Int, UnsafeMutablePointer<UInt8>?
    ) -> Int

  /// The sets of instructions other than the plain one that this machine can run.
  static let names = [
    variant_v3_is_supported() ? "x86-64-v3" : nil, variant_v4_is_supported() ? "x86-64-v4" : nil,
  ].compactMap(\.self)

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
    _ filter: Filter, _ kernel: Int, _ bytes: [UInt8], _ count: Int, _ width: Int
  ) -> (answer: Int, bytes: [UInt8]) {
    var target = [UInt8](repeating: 0, count: (width + 8) * count + 1024)
    let answer = unsafe filter(Int32(kernel), bytes, Self.others, count, width, &target)
    return (answer, target)
  }

  @Test(arguments: names, 0..<Int(VARIANT_FILTERS))
  func `every clone writes the same`(_ name: String, kernel: Int) {
    let filter: Filter = unsafe name == "x86-64-v3" ? variant_v3_filter : variant_v4_filter
    // Sparse words are not of one byte, and levels are of two or four.
    let widths =
      switch kernel {
      case 13...16: 2...8
      case 17...20: 2...4
      default: 1...8
      }
    for (width, count, bytes) in Self.inputs where widths.contains(width) {
      let plain = unsafe result(variant_plain_filter, kernel, bytes, count, width)
      let clone = unsafe result(filter, kernel, bytes, count, width)
      #expect(clone.answer == plain.answer, "\(count) of \(width) bytes")
      #expect(clone.bytes == plain.bytes, "\(count) of \(width) bytes")
    }
  }
}
