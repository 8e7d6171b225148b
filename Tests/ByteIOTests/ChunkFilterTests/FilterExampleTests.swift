import ByteIO
import TestSupport
import Testing

/// The examples of the article NativeFormat.
@Suite struct FilterExampleTests {
  private func bytes(_ hex: String) -> [UInt8] {
    hex.split { $0 == " " || $0 == "," }.compactMap { UInt8($0, radix: 16) }
  }

  private func planes(_ bytes: [UInt8], width: Int) -> [UInt8] {
    [UInt8](count: bytes.count) { BlockPlanes.split(bytes.rawBytes, size: width, into: &$0) }
  }

  private func rotatedPlanes(_ bytes: [UInt8], width: Int) -> [UInt8] {
    let rotated = [UInt8](count: bytes.count) {
      WordRotation.rotate(bytes.rawBytes, width: width, into: &$0)
    }
    return planes(rotated, width: width)
  }

  private func leveled(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](count: bytes.count) {
      WordLevels.subtract(
        bytes.rawBytes, width: 2, rows: [0x7f00, 0x8100], columns: [0, 0, 0x0100, 0], into: &$0)
    }
  }

  private let floats = [1, -2, 0.5].map { UInt64(Float($0).bitPattern) }

  @Test func `planes of words, blocks, and bits`() {
    #expect(
      planes(bytes("00 01 02 10 11 12 20"), width: 3) == bytes("00 10, 01 11, 02 12, 20"))
    #expect(
      rotatedPlanes(floats.bytes(width: 4), width: 4)
        == bytes("00 01 00, 00 00 00, 00 00 00, 7f 80 7e"))
    #expect(
      rotatedPlanes([1, -2].map { Double($0).bitPattern }.bytes(width: 8), width: 8)
        == bytes("07 18, 00 00, 00 00, 00 00, 00 00, 00 00, 00 00, fe 00"))
    let halves = rotatedPlanes(([0x3c00, 0xc000, 0x3800] as [UInt64]).bytes(width: 2), width: 2)
    let lowest = Array(halves[..<3])
    let low = [UInt8](count: 8) { BitPlanes.split(lowest.rawBytes, into: &$0) }
    #expect(low + halves[3...] == bytes("02, 00, 00, 00, 00, 00, 00, 00, 78 80 70"))
  }

  @Test func `levels and sparse words`() {
    let levels =
      planes(([0x7f00, 0x8100] as [UInt64]).bytes(width: 2), width: 2)
      + planes(([0, 0, 0x0100, 0] as [UInt64]).bytes(width: 2), width: 2)
    let words: [UInt64] = [0x3f80, 0x3fc0, 0x4000, 0x3f80, 0x4080, 0x4080]
    #expect(
      levels + planes(leveled(words.bytes(width: 2)), width: 2)
        == bytes(
          "00 00, 7f 81, 00 00 00 00, 00 00 01 00, 00 80 00 00 00 00, 00 00 00 00 00 00"))

    let zeros = [0, 1, -0.0, 0, -2].map { UInt64(Float($0).bitPattern) }.bytes(width: 4)
    let sparse = SparseParts(zeros, width: 4)
    #expect(
      sparse.mask + sparse.signs + rotatedPlanes(sparse.dense, width: 4)
        == bytes("12, 02, 00 01, 00 00, 00 00, 7f 80"))

    let both = ([0x3f80, 0x8000, 0x4000, 0, 0, 0x4080] as [UInt64]).bytes(width: 2)
    let parts = SparseParts(both, width: 2)
    var dense = [UInt8](repeating: 0, count: both.count)
    let present = dense.fillBytes {
      SparseWords.pick(leveled(both).rawBytes, width: 2, mask: parts.mask.rawBytes, into: &$0)
    }
    #expect(
      parts.mask + parts.signs + levels + planes(Array(dense[..<(2 * present)]), width: 2)
        == bytes("25, 01, 00 00, 7f 81, 00 00 00 00, 00 00 01 00, 00 00 00, 00 00 00"))
  }

  @Test func `narrower floats`() {
    func narrowed(_ words: [UInt64], _ kind: NarrowFloats.Kind) -> [UInt8] {
      [UInt8](count: words.count * kind.narrowWidth) { target in
        let bytes = words.bytes(width: kind.wideWidth)
        #expect(NarrowFloats.narrow(bytes.rawBytes, kind, into: &target))
      }
    }
    #expect(
      planes(narrowed([1, -2, 0.5].map { Double($0).bitPattern }, .f32), width: 4)
        == bytes("00 00 00, 00 00 00, 80 00 00, 3f c0 3f"))
    #expect(
      rotatedPlanes(narrowed(floats, .f16), width: 2) == bytes("00 01 00, 78 80 70"))
    #expect(
      rotatedPlanes(narrowed(floats, .bf16), width: 2) == bytes("00 01 00, 7f 80 7e"))
  }

  @Test func `differences and a palette`() {
    let integers = ([10, 11, 12, 300] as [UInt64]).bytes(width: 2)
    let differences = [UInt8](count: 8) {
      WordDifferences.encode(integers.rawBytes, width: 2, into: &$0)
    }
    #expect(planes(differences, width: 2) == bytes("0a 01 01 20, 00 00 00 01"))

    let few = ([5, 5, 7, 9, 7] as [UInt64]).bytes(width: 2)
    var content = [UInt8](repeating: 0, count: 600)
    let sizes = content.fillBytes { Palette.encode(few.rawBytes, width: 2, into: &$0) }
    #expect(sizes?.known == 3)
    #expect(Array(content[..<(sizes?.all ?? 0)]) == bytes("02, 05 02 02, 00 00 00, 90 01"))
  }
}
