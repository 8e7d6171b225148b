import ParallelWork
import TensorCore
import TestSupport
import Testing

/// What PyTorch makes of single elements (see `Fixtures/elements`).
private struct ElementGoldens: Decodable {
  struct Range: Decodable { let dtype: String, least: Double, greatest: Double }
  struct Fill: Decodable { let dtype: String, value: String, bytes: String? }
  struct Cast: Decodable { let from: String, to: String, count: Int, digests: [String] }

  let torch: String
  let block: Int
  let values: [String: String]
  let ranges: [Range]
  let drawn: [String]
  let fills: [Fill]
  let casts: [Cast]

  static let all = Result { try Fixtures.json("elements/elements.json", as: ElementGoldens.self) }
}

@Suite struct ElementGoldenTests {
  private let goldens: ElementGoldens

  init() throws { goldens = try ElementGoldens.all.get() }

  @Test func `every pattern of eight bits is the number that PyTorch reads, NaN payloads included`()
    throws
  {
    #expect(goldens.values.count == 5)
    for (name, expected) in goldens.values {
      let dtype = try #require(DType(named: name))
      let found = converted((0..<256).map { UInt8($0) }, from: dtype, to: .float32)
      #expect(hex(found) == expected, "\(name)")
    }
  }

  @Test func `casts give PyTorch's bytes for every pattern, at every boundary, and at random`()
    throws
  {
    let inputs = try CastInputs()
    #expect(goldens.casts.count == 126)
    for cast in goldens.casts {
      let old = try #require(DType(named: cast.from))
      let new = try #require(DType(named: cast.to))
      let input = try #require(inputs.bytes[old])
      #expect(input.count == cast.count * old.byteWidth)
      var found = converted(input, from: old, to: new)
      if old.isFloatingPoint, old.byteWidth > 1, new.byteWidth > 1 {
        // Which NaN PyTorch gives depends on where in the tensor it stands.
        for index in 0..<cast.count where old.number(at: index, in: input).isNaN {
          for byte in 0..<new.byteWidth { found[index * new.byteWidth + byte] = 0 }
        }
      }
      let size = goldens.block * new.byteWidth
      for (block, digest) in cast.digests.enumerated() {
        let part = found[block * size..<min((block + 1) * size, found.count)]
        #expect(
          self.digest(Array(part)) == digest,
          "\(cast.from) to \(cast.to), elements from \(block * goldens.block)")
      }
    }
  }

  @Test func `the finite range is that of torch.finfo`() throws {
    #expect(goldens.ranges.map(\.dtype).count == DType.floatingPoint.count)
    for range in goldens.ranges {
      let format = try #require(DType(named: range.dtype)?.element.floatFormat)
      #expect(format.greatestFinite == range.greatest, "\(range.dtype)")
      #expect(format.leastFinite == range.least, "\(range.dtype)")
    }
  }

  @Test func `a constant is stored, or refused, as by fill_`() throws {
    for fill in goldens.fills {
      let dtype = try #require(DType(named: fill.dtype))
      let value = Double(bitPattern: try #require(UInt64(fill.value, radix: 16)))
      if let expected = fill.bytes {
        let found = try dtype.element(nearest: value)
        if value.isNaN, dtype.byteWidth > 1 {
          #expect(dtype.number(at: 0, in: found).isNaN)
        } else {
          #expect(hex(found) == expected, "\(value) in \(fill.dtype)")
        }
      } else {
        #expect(throws: CheckpointError.self, "\(value) in \(fill.dtype)") {
          try dtype.element(nearest: value)
        }
      }
    }
  }

  private func converted(_ bytes: [UInt8], from old: DType, to new: DType) -> [UInt8] {
    let count = bytes.count / old.byteWidth * new.byteWidth
    var buffer = ChunkBuffer(capacity: count)
    var target = buffer.mutableBytes(count)
    _ = unsafe ElementConversion.convert(bytes.span.bytes, from: old, to: new, into: &target)
    return unsafe buffer.bytes(count).withUnsafeBytes { unsafe Array($0) }
  }

  private func digest(_ bytes: [UInt8]) -> String {
    var builder = DigestBuilder(.sha256)
    unsafe builder.update(bytes.span.bytes)
    return String(builder.finalize().description.prefix(16))
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// The inputs of the casts, made as `Tools/fixtures/make_elements.py` makes them.
private struct CastInputs {
  var bytes: [DType: [UInt8]] = [:]

  init() throws {
    let stored = try Fixtures.bytes("elements/boundaries.bin")
    let boundaries = stride(from: 0, to: stored.count, by: 4).map { start in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(stored[start + $1]) << UInt32(8 * $1) }
    }
    let both = boundaries + boundaries.map { $0 | 1 << 31 }
    var generator = SplitMix(seed: 1)
    let random = (0..<1 << 16).map { _ in generator.next() }
    let high = random.map { UInt32($0 >> 32) }
    let near = stride(from: 0, to: high.count, by: 2).map {
      high[$0] & 0x807f_ffff | (96 + (high[$0] >> 23 & 63)) << 23
    }
    let anywhere = stride(from: 1, to: high.count, by: 2).map { high[$0] }
    add([.float32], both + near + anywhere)
    let doubles = both.flatMap { bits -> [Double] in
      let value = Double(Float(bitPattern: bits))
      return value.isNaN ? [.nan, .nan, .nan] : [value, value.nextUp, value.nextDown]
    }
    add([.float64], doubles.map(\.bitPattern) + random)
    add([.int32], high)
    add([.int64], random)
    add([.float16, .bfloat16, .int16], (0...UInt16.max).map { $0 })
    add(
      [.uint8, .int8] + DType.floatingPoint.filter { $0.byteWidth == 1 }, (0...UInt8.max).map { $0 }
    )
    add([.bool], [UInt8(0), 1])
  }

  private mutating func add<Word: FixedWidthInteger>(_ dtypes: [DType], _ words: [Word]) {
    let all = words.flatMap { word in
      (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) }
    }
    for dtype in dtypes { bytes[dtype] = all }
  }
}
