import ByteIO
import TestSupport
import Testing

/// What `SparseWords.split` writes.
struct SparseParts: Equatable {
  var mask: [UInt8]
  var signs: [UInt8]
  var dense: [UInt8]

  /// By definition.
  init(definition words: [UInt64], width: Int) {
    let sign = UInt64(1) << UInt64(8 * width - 1)
    let isDense = words.map { $0 & ~sign != 0 }
    mask = packed(isDense.map { $0 ? 1 : 0 }, width: 1)
    signs = packed(words.filter { $0 & ~sign == 0 }.map { $0 == 0 ? 0 : 1 }, width: 1)
    dense = words.filter { $0 & ~sign != 0 }.bytes(width: width)
  }

  /// By the filter.
  init(_ bytes: [UInt8], width: Int) {
    let count = bytes.count / width
    mask = Array(repeating: 0xaa, count: (count + 7) / 8)
    signs = Array(repeating: 0xaa, count: (count + 7) / 8 + 8)
    dense = Array(repeating: 0xaa, count: bytes.count)
    let present = mask.fillBytes { mask in
      signs.fillBytes { signs in
        dense.fillBytes { dense in
          SparseWords.split(
            bytes.rawBytes, width: width, mask: &mask, signs: &signs, dense: &dense)
        }
      }
    }
    signs.removeLast(signs.count - (count - present + 7) / 8)
    dense.removeLast(dense.count - present * width)
  }

  func merged(_ count: Int, width: Int) -> [UInt8] {
    [UInt8](count: count * width) { words in
      SparseWords.merge(
        mask: mask.rawBytes, signs: signs.rawBytes, dense: dense.rawBytes, width: width,
        into: &words)
    }
  }
}

@Suite struct SparseWordsTests {
  @Test(arguments: FilterWords.wide)
  func `words are divided as defined, and come back`(_ sample: FilterWords) {
    for count in filterCounts {
      check(sample.words(count), width: sample.width)
    }
  }

  @Test func `a whole chunk comes back`() {
    check(FilterSample.mostlyZeros.words(1 << 18, width: 4), width: 4)
  }

  private func check(_ words: [UInt64], width: Int) {
    let bytes = words.bytes(width: width)
    let parts = SparseParts(bytes, width: width)
    #expect(parts == SparseParts(definition: words, width: width), "\(words.count)")
    #expect(parts.merged(words.count, width: width) == bytes, "\(words.count)")
    let present = parts.dense.count / width
    #expect(SparseWords.count(parts.mask.rawBytes, of: words.count) == present)
    let other = words.map { cut($0 &* 5 &+ 1, width: width) }
    let isDense = words.map { cut($0 << 1, width: width) != 0 }
    var picked = [UInt8](repeating: 0, count: bytes.count)
    let number = picked.fillBytes { target in
      SparseWords.pick(
        other.bytes(width: width).rawBytes, width: width, mask: parts.mask.rawBytes, into: &target)
    }
    #expect(number == present)
    let expected = zip(other, isDense).filter(\.1).map(\.0).bytes(width: width)
    #expect(Array(picked[..<(number * width)]) == expected, "\(words.count)")
  }

  @Test(arguments: SparseWords.widths)
  func `any mask of the right number of ones is read`(width: Int) {
    for count in filterCounts {
      for probability in [0, 10, 128, 250, 256] {
        let isDense = noise(count, seed: 3).map { Int($0) < probability }
        // Unused bits of the mask and the signs are ignored.
        var parts = SparseParts(definition: [], width: width)
        parts.mask = packed(isDense.map { $0 ? 1 : 0 }, width: 1)
        if count % 8 != 0 { parts.mask[count / 8] |= 0xff << UInt8(count % 8) }
        let present = isDense.count(where: \.self)
        parts.signs = noise((count - present + 7) / 8, seed: 4)
        parts.dense = noise(present * width, seed: 5)
        var dense = parts.dense.words(width: width)[...]
        var position = 0
        let words = isDense.map { isDense in
          if isDense { return dense.removeFirst() }
          defer { position += 1 }
          let sign = parts.signs[position / 8] >> UInt8(position % 8) & 1
          return UInt64(sign) << UInt64(8 * width - 1)
        }
        #expect(parts.merged(count, width: width) == words.bytes(width: width), "\(count)")
      }
    }
  }
}
