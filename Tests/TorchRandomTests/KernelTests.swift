import CKernelVariants
import CKernels
import Glibc
import TensorCore
import TestSupport
import Testing

@testable import TorchRandom

@Suite struct KernelTests {
  /// A count that is not a multiple of any register, and targets that are not aligned.
  static let count = 512 * 16 + 48

  /// Words of a stream; among them, for the first elements, those that lie at the ends and around
  /// the seams of the polynomials, paired with one another as the vector normal pairs words.
  static let words: [UInt32] = {
    var generator = Generator(seed: 5)
    var words = (0..<count).map { _ in generator.nextUInt32() }
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
    return words
  }()

  /// What a kernel writes, one byte past the start of an allocation.
  static func output<Element>(
    _ count: Int, of type: Element.Type, _ body: (UnsafeMutableRawPointer) -> Void
  ) -> [Element] {
    var bytes = [UInt8](repeating: 0xa5, count: count * MemoryLayout<Element>.size + 2)
    return unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe body(bytes.baseAddress! + 1)
      #expect(unsafe bytes.first == 0xa5 && bytes.last == 0xa5, "written outside the target")
      return (0..<count).map {
        unsafe bytes.loadUnaligned(
          fromByteOffset: 1 + $0 * MemoryLayout<Element>.size, as: Element.self)
      }
    }
  }

  @Test func `the sets are the program's own, and it uses the last of them`() {
    #expect(Int(variant_chosen()) == KernelSet.all.count - 1)
  }

  @Test(arguments: KernelSet.all)
  func `every clone gives the reference's uniforms`(kernels: KernelSet) {
    let words = Self.words
    let ranges: [(Double, Double)] = [
      (0, 1), (-0.1, 0.1), (-0.1, 0.2), (-1, 0), (0, 0), (-0.0, 0.0), (0.25, 0.25), (0, 1e-6),
      (-1e-38, 1e-38), (-1e-44, 1e-44), (-3e4, 1e4), (-6e-8, 6e-8),
    ]
    for (from, to) in ranges {
      let (low, high) = (Float(from), Float(to))
      for fuses in [true, false] {
        let name = "\(from)..<\(to), fused: \(fuses)"
        let floats = unsafe Self.output(Self.count, of: UInt32.self) {
          unsafe kernels.uniformFloat32(words, $0, Self.count, low, high, fuses)
        }
        #expect(
          floats
            == words.map {
              ReferenceUniform.float32($0, from: low, to: high, fuses: fuses).bitPattern
            }, "float32 \(name)")
        let doubles = unsafe Self.output(Self.count / 2, of: UInt64.self) {
          unsafe kernels.uniformFloat64(words, $0, Self.count / 2, from, to, fuses)
        }
        #expect(
          doubles
            == (0..<Self.count / 2).map {
              ReferenceUniform.float64(
                words[2 * $0], words[2 * $0 + 1], from: from, to: to, fuses: fuses
              ).bitPattern
            }, "float64 \(name)")
        let halves = unsafe Self.output(Self.count, of: UInt16.self) {
          unsafe kernels.uniformFloat16(words, $0, Self.count, low, high, fuses)
        }
        #expect(
          halves
            == words.map {
              ReferenceUniform.rounded($0, from: low, to: high, fuses: fuses) { Float16($0) }
                .bitPattern
            }, "float16 \(name)")
        let brains = unsafe Self.output(Self.count, of: UInt16.self) {
          unsafe kernels.uniformBFloat16(words, $0, Self.count, low, high, fuses)
        }
        #expect(
          brains
            == words.map {
              let value = ReferenceUniform.rounded($0, from: low, to: high, fuses: fuses) {
                Float(bitPattern: UInt32(ElementConversion.bfloat16(rounding: $0)) << 16)
              }
              return UInt16(value.bitPattern >> 16)
            }, "bfloat16 \(name)")
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func `every clone gives the reference's normals`(kernels: KernelSet) {
    let words = Self.words
    let moments: [(Float, Float)] = [
      (0, 1), (0.25, 0.02), (-3, 0), (1e30, 1e-30), (0, 1e-7), (0, 3e4), (1, .infinity),
    ]
    for (mean, deviation) in moments {
      let expected = ReferenceNormal.values(of: words, mean: mean, deviation: deviation)
      let name = "mean \(mean), deviation \(deviation)"
      let numbers = expected.map { !$0.isNaN }
      func same<Bits: Equatable>(_ made: [Bits], _ bits: (Float) -> Bits) -> Bool {
        zip(made, expected).enumerated().allSatisfy { index, pair in
          !numbers[index] || pair.0 == bits(pair.1)
        }
      }
      for blocks in [1, 2, Self.count / 16 - 1, Self.count / 16] {
        let floats = unsafe Self.output(16 * blocks, of: UInt32.self) {
          unsafe kernels.normalFloat32(words, $0, blocks, mean, deviation)
        }
        #expect(same(floats, \.bitPattern), "float32 \(name)")
        let halves = unsafe Self.output(16 * blocks, of: UInt16.self) {
          unsafe kernels.normalFloat16(words, $0, blocks, mean, deviation)
        }
        #expect(same(halves) { Float16($0).bitPattern }, "float16 \(name)")
        let brains = unsafe Self.output(16 * blocks, of: UInt16.self) {
          unsafe kernels.normalBFloat16(words, $0, blocks, mean, deviation)
        }
        #expect(same(brains, ElementConversion.bfloat16), "bfloat16 \(name)")
        for (index, isNumber) in numbers.prefix(16 * blocks).enumerated() where !isNumber {
          #expect(
            Float(bitPattern: floats[index]).isNaN && Float16(bitPattern: halves[index]).isNaN)
          #expect(brains[index] == 0x7fc0)
        }
      }
    }
  }

  /// Needs glibc, whose functions fuse where the machine can.
  @Test(.enabled(if: KernelSet.all.count > 1), arguments: KernelSet.all)
  func `every clone gives single normals of the C library's functions`(kernels: KernelSet) {
    var dice = SplitMix(seed: 11)
    let seams = [0, 0x1p-29, 0.2928932, 0.5, 0.6464466, 0.75, 0.02005, 0.13616, 0.38615, 1]
    func draw() -> UInt64 {
      if dice.below(3) > 0 { return dice.next() >> UInt64(11 + dice.below(2) * dice.below(53)) }
      let place = Int64(seams[dice.below(10)] * 0x1p53) + Int64(dice.below(2001)) - 1000
      return UInt64(bitPattern: place) & 0x1f_ffff_ffff_ffff
    }
    for _ in 0..<20_000 {
      let (angle, radius) = (draw(), draw())
      let pair = kernels.normalPair(angle, radius)
      let theta = 2 * Double.pi * (Double(angle) * 0x1p-53)
      let distance = (-2 * log1p(-Double(radius) * 0x1p-53)).squareRoot()
      #expect(pair.first.bitPattern == (distance * cos(theta)).bitPattern, "\(angle) \(radius)")
      #expect(pair.second.bitPattern == (distance * sin(theta)).bitPattern, "\(angle) \(radius)")
    }
  }

  /// Needs glibc, whose functions fuse where the machine can.
  @Test(.enabled(if: KernelSet.all.count > 1), arguments: KernelSet.all)
  func `every clone gives float64 normals of the C library's functions`(kernels: KernelSet) {
    // Uniforms of all 53 bits, and pairs that lie around the seams of the functions.
    var words = Self.words
    let seams = [0.9375, 0.0625, 1, 0, 0.6875, 0x1.a8p-1, 0x1p-20].map { 1 - $0 }
    let angles = [0.126, 0.85546875, 2.426265, 0.7853981, 1.5707963, 3.1415926, 4.712389, 0]
    for (row, radius) in seams.enumerated() {
      for (column, angle) in angles.enumerated() {
        for step in -1...1 {
          let pair = (row * angles.count + column) * 3 + step + 1
          let first = pair / 8 * 32 + pair % 8 * 2
          for (place, unit) in [(first, radius), (first + 16, angle / (2 * .pi))] {
            let bits = Int64(unit * 0x1p53) + Int64(step) &* 3
            words[place] = UInt32(truncatingIfNeeded: bits >> 32)
            words[place + 1] = UInt32(truncatingIfNeeded: bits)
          }
        }
      }
    }
    func unit(_ index: Int) -> Double {
      Double((UInt64(words[index]) << 32 | UInt64(words[index + 1])) & 0x1f_ffff_ffff_ffff)
        * 0x1p-53
    }
    let blocks = words.count / 32
    for (mean, deviation) in [(0, 1), (0.25, 0.02), (-3, 0)] as [(Double, Double)] {
      let values = unsafe Self.output(16 * blocks, of: UInt64.self) {
        unsafe kernels.normalFloat64(words, $0, blocks, mean, deviation)
      }
      for pair in 0..<8 * blocks {
        let (block, index) = pair.quotientAndRemainder(dividingBy: 8)
        let radius = (-2 * log(1 - unit(32 * block + 2 * index))).squareRoot()
        let angle = 2 * Double.pi * unit(32 * block + 2 * index + 16)
        let cosine = mean.addingProduct(radius * cos(angle), deviation)
        let sine = mean.addingProduct(radius * sin(angle), deviation)
        #expect(values[16 * block + index] == cosine.bitPattern, "\(radius) \(angle)")
        #expect(values[16 * block + index + 8] == sine.bitPattern, "\(radius) \(angle)")
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func `every clone gives the stream's words`(kernels: KernelSet) throws {
    var single = Generator(seed: 9)
    let expected = (0..<624 * 3).map { _ in single.nextUInt32() }
    var state: [UInt32] = [9]
    for index in 1..<624 {
      state.append(1_812_433_253 &* (state[index - 1] ^ state[index - 1] >> 30) &+ UInt32(index))
    }
    var filled = state
    let words = unsafe Self.output(624 * 3, of: UInt32.self) { target in
      var words = [UInt32](repeating: 0, count: 624 * 3)
      unsafe kernels.blocks(&filled, &words, 3)
      unsafe words.withUnsafeBytes {
        unsafe target.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
      }
    }
    #expect(words == expected)
    var twisted = state
    unsafe kernels.twist(&twisted, 3)
    #expect(twisted == filled)
    var tempered = [UInt32](repeating: 0, count: 624)
    unsafe kernels.temper(twisted, &tempered, 624)
    #expect(tempered == Array(expected.suffix(624)))
    var polynomial = [UInt64](repeating: 0, count: 312)
    var raw = [UInt32](repeating: 0, count: 20561)
    var jumped = state
    unsafe ckpt_mt19937_power(3 * 624, &polynomial)
    unsafe kernels.advance(polynomial, &raw, &jumped)
    #expect(jumped.dropFirst() == twisted.dropFirst() && (jumped[0] ^ twisted[0]) >> 31 == 0)
  }

  @Test(arguments: KernelSet.all)
  func `every clone tests seeds by the same words`(kernels: KernelSet) {
    for place in [3, 226, 227, 5000] {
      let expected = (0..<UInt32(128)).map { seed in
        var generator = Generator(seed: UInt64(seed &- 64))
        generator.skip(words: place)
        return generator.nextUInt32() & 0xff_ffff
      }
      let (low, width) = (UInt32(0x40_0000), UInt32(0x5f_ffff))
      var hits = [UInt32](repeating: 0, count: 129)
      func seeds(_ isHit: (UInt32) -> Bool) -> [UInt32] {
        expected.indices.filter { isHit(expected[$0]) }.map { UInt32($0) &- 64 }
      }
      if place < 227 {
        let found = unsafe kernels.seedNear(
          UInt32(bitPattern: -64), 2, UInt32(place), 0xff_ffff, low, width, &hits)
        #expect(Array(hits[..<found]) == seeds { $0 &- low <= width })
      } else {
        let masks = WordField(position: place, bits: 24).masks
        let found = unsafe kernels.seedSieve(
          UInt32(bitPattern: -64), 2, low >> 16, width >> 16, masks, &hits)
        #expect(Array(hits[..<found]) == seeds { $0 >> 16 &- low >> 16 <= width >> 16 })
        for (index, field) in expected.enumerated() {
          #expect(unsafe kernels.seedWord(UInt32(index) &- 64, masks) == field)
        }
      }
    }
  }
}
