import ByteIO
@testable import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Names of filters, and which of them there are.
@Suite struct NativeFilterTests {
  static let names = [
    "raw", "planes-1", "planes-2", "planes-4", "planes-8", "planes-18", "planes-34", "planes-210",
    "rotated-planes-2", "rotated-planes-4", "rotated-planes-8", "bits-2", "bits-4", "palette-1",
    "palette-2", "palette-4", "palette-8", "differences-2", "differences-4", "differences-8",
    "f32+rotated-planes-4", "f32+bf16+rotated-planes-2", "f32+f16+bits-2", "f16+rotated-planes-2",
    "bf16+palette-2", "bits-8", "differences-1", "sparse+planes-4", "sparse+rotated-planes-4",
    "sparse+bits-2", "levels-4+rotated-planes-2",
    "levels-65536+bits-4", "f32+sparse+levels-1000+rotated-planes-4", "sparse+rotated-planes-8",
    "f32+planes-4", "bf16+differences-2", "base", "delta+planes-1", "delta+planes-8",
    "delta+sparse+planes-4", "delta+sparse+bits-2", "delta+palette-4", "delta+differences-2",
    "planes-1+ans", "rotated-planes-2+ans", "planes-34+ans", "sparse+levels-8+bits-4+ans",
    "f32+rotated-planes-4+ans", "palette-4+ans", "delta+planes-4+ans",
  ]

  @Test(arguments: names)
  func `a filter has one name`(_ name: String) {
    #expect(NativeFilter(name: name)?.name == name)
  }

  @Test(arguments: [
    "", "planes", "planes-", "planes-0", "planes-04", "planes-+4", "planes-513", "Planes-4",
    "rotated-planes-1", "rotated-planes-3", "bits-1", "palette-3", "palette-16",
    "differences-3", "raw+planes-4", "levels-8+planes-4", "bf16+planes-1", "planes-4+raw", "raw-1",
    "f32+planes-8", "f16+planes-4",
    "bf16+rotated-planes-4", "f16+f32+planes-2", "f16+bf16+planes-2", "f16+f16+planes-2",
    "sparse+planes-1", "sparse+planes-18", "sparse+palette-4", "sparse+differences-4",
    "sparse+rotated-planes-4+", "+planes-4", "levels-3+rotated-planes-4",
    "levels-65537+rotated-planes-4", "levels-08+rotated-planes-4", "levels-8+rotated-planes-8",
    "levels-8+palette-4", "levels+rotated-planes-4", "levels-8+sparse+rotated-planes-4",
    "sparse+f16+rotated-planes-2", "delta+rotated-planes-4", "delta+levels-8+bits-4",
    "delta+planes-3",
    "delta+f16+bits-2", "delta+raw", "delta+base", "delta+delta+planes-4", "sparse+delta+planes-4",
    "base+planes-4", "zstd-4", "ans", "raw+ans", "base+ans", "ans+planes-4", "planes-4+ans+ans",
  ])
  func `other names are unknown`(_ name: String) {
    #expect(NativeFilter(name: name) == nil)
  }

  @Test func `words must divide elements`() throws {
    for (name, fits, misfits) in [
      ("bf16+rotated-planes-2", [DType.float32, .complex64, .float64], [.float16, .uint8]),
      ("f32+rotated-planes-4", [.float64, .complex128], [.float32]),
      ("planes-34", [.q8_0], [.float32, .q4_0]), ("planes-1", DType.allCases, []),
      ("raw", DType.allCases, []),
    ] as [(String, [DType], [DType])] {
      let filter = try #require(NativeFilter(name: name))
      #expect(fits.allSatisfy(filter.divides), "\(name)")
      #expect(!misfits.contains(where: filter.divides), "\(name)")
    }
  }
}
