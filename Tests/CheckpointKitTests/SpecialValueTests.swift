import CheckpointKit
import JSONText
import TensorCore
import TestSupport
import Testing

/// What is measured where values are NaN, infinite, or all zero; the figures are NumPy's
/// `norm(a - b) / norm(a)` and `max(abs(a - b))`.
@Suite struct SpecialValueTests {
  private func difference(_ left: [Float], _ right: [Float]) throws -> TensorDifference {
    try TensorDifference(between: .init(memory: "w", left), and: .init(memory: "w", right))
  }

  @Test func `values that become NaN are counted, and the norms are NaN`() throws {
    let all = try difference([1, 2, 3], [.nan, .nan, .nan])
    #expect(all.becameNaNCount == 3 && all.becameInfiniteCount == 0 && all.differingCount == 3)
    #expect(all.maxAbsolute?.isNaN == true && all.relativeL2?.isNaN == true)
    #expect(all.maxULP == nil && all.changesSpecials)
    let back = try difference([1, .nan, 3], [1, 2, 5])
    #expect(back.noLongerNaNCount == 1 && back.becameNaNCount == 0)
    #expect(back.maxAbsolute?.isNaN == true && back.relativeL2?.isNaN == true)
  }

  @Test func `values that become infinite are counted, and the norms are infinite`() throws {
    let one = try difference([1, 2], [1, -.infinity])
    #expect(one.becameInfiniteCount == 1 && one.becameNaNCount == 0)
    #expect(one.maxAbsolute == .infinity && one.relativeL2 == .infinity)
    let back = try difference([.infinity, 2], [1, 2])
    #expect(back.noLongerInfiniteCount == 1 && back.maxAbsolute == .infinity)
    #expect(back.relativeL2?.isNaN == true)
    let other = try difference([.infinity], [-.infinity])
    #expect(!other.changesSpecials && other.maxAbsolute == .infinity)
    let both = try difference([.infinity, .nan], [.nan, .infinity])
    #expect(both.becameNaNCount == 1 && both.noLongerInfiniteCount == 1)
    #expect(both.noLongerNaNCount == 1 && both.becameInfiniteCount == 1)
  }

  @Test func `NaN that stays changes nothing, but its norm is NaN`() throws {
    let found = try difference([.nan, 1], [.nan, 3])
    #expect(found.differingCount == 1 && found.maxAbsolute == 2 && !found.changesSpecials)
    #expect(found.relativeL2?.isNaN == true)
  }

  @Test func `nothing is relative to a tensor of zeros`() throws {
    let found = try difference([0, 0], [3, 4])
    #expect(found.maxAbsolute == 4 && found.relativeL2 == nil)
    #expect(try difference([0, 0], [0, -0.0]).relativeL2 == nil)
  }

  @Test func `an element of a complex type counts once`() throws {
    func complex(_ values: [Float]) throws -> Checkpoint.Entry {
      let bytes = values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) }
      }
      return try .init(memory: "z", .complex64, [values.count / 2], bytes)
    }
    let found = try TensorDifference(
      between: complex([1, 2, 3, 4]), and: complex([.nan, .nan, 3, .infinity]))
    #expect(
      found.becameNaNCount == 1 && found.becameInfiniteCount == 1 && found.differingCount == 2)
  }

  @Test func `values are counted across pieces and types`() async throws {
    let count = (1 << 20) + 3
    var bytes = [UInt8](repeating: 0, count: 2 * count)
    for index in [0, 1 << 19, count - 1] { bytes[2 * index..<2 * index + 2] = [0xc0, 0x7f] }
    let zeros = try Checkpoint.Entry(memory: "w", [Float](repeating: 0, count: count))
    let narrow = try Checkpoint.Entry(memory: "w", .bfloat16, [count], bytes)
    let diff = try await CheckpointDiff(
      from: Checkpoint(entries: [zeros]), to: Checkpoint(entries: [narrow]), threads: 2)
    let found = try #require(diff.changes.first?.difference)
    #expect(diff.changes.first?.kind == .retyped && found.becameNaNCount == 3)
    #expect(found.relativeL2 == nil && found.maxAbsolute?.isNaN == true)
  }

  @Test func `JSON names what is not finite, and null is what has no meaning`() throws {
    #expect(
      try difference([1, 2], [.nan, .infinity]).jsonText()
        == #"{"becameInfinite":1,"becameNaN":1,"beyondRounding":null,"changedShare":1,"#
        + #""cosine":"NaN","differing":2,"elements":2,"maxAbsolute":"NaN","#
        + #""maxULP":null,"noLongerInfinite":0,"noLongerNaN":0,"relativeL2":"NaN","signFlips":0}"#)
    #expect(
      try difference([0], [2]).jsonText()
        == #"{"becameInfinite":0,"becameNaN":0,"beyondRounding":null,"changedShare":1,"#
        + #""cosine":null,"differing":1,"elements":1,"maxAbsolute":2,"#
        + #""maxULP":1073741824,"noLongerInfinite":0,"noLongerNaN":0,"relativeL2":null,"#
        + #""signFlips":0}"#)
  }
}
