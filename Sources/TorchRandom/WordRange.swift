import Glibc
import TensorCore

/// What an element of a draw says about one word of the generator: the values that some of the
/// word's low bits may have.
///
/// This turns draws around, so that seeds can be tested without drawing: one word in 2^24 passes.
package struct WordRange: Hashable, Sendable {
  /// Words before this one, counted from the start of the draw.
  package let offset: Int
  /// Bits that are decided.
  let mask: UInt32
  /// Smallest and largest value of those bits.
  let bounds: ClosedRange<UInt32>

  /// The share of all words that pass.
  package var share: Double {
    Double(bounds.upperBound - bounds.lowerBound + 1) / (Double(mask) + 1)
  }
}

extension Sampling {
  /// Finds the word that decides about an element, or a pair of them, from a tensor's values.
  ///
  /// `values` are the tensor's elements from element `first` on, in any number; `first` is a
  /// multiple of 16. The result is `nil` when the elements cannot be values of this draw on that
  /// CPU path, or say nothing about it.
  package func wordRange(
    of values: [UInt8], from first: Int, cpuPath: CPUPath = .avx2
  ) -> WordRange? {
    switch (distribution, algorithm) {
    case (.uniform(let from, let to), _):
      return from < to ? uniformRange(values, from: first, cpuPath) : nil
    case (.normal(let mean, let deviation), .vectorNormal):
      guard deviation > 0, first + 16 <= count, !hasTail || first + 32 <= count else { return nil }
      let pair = (number(values, 0), number(values, 8))
      // The first word gives the radius.
      return radius(pair, mean, deviation, bits: type.decidedBits).map {
        WordRange(
          offset: first * type.wordsPerUniform, mask: 1 << UInt32(type.decidedBits) - 1, bounds: $0)
      }
    case (.normal(let mean, let deviation), _):
      guard deviation > 0, contiguous, first == 0, count >= 2 else { return nil }
      let pair = (number(values, 0), number(values, 1))
      // 1 - u of the second double, whose first word is the third.
      return radius(pair, mean, deviation, bits: 21).map {
        WordRange(offset: 2, mask: 0x1f_ffff, bounds: $0)
      }
    }
  }

  private func number(_ values: [UInt8], _ index: Int) -> Double {
    dtype.number(at: index, in: values)
  }

  /// The words that give the first element which is not the range's lower bound: that one also
  /// stands for values rounded up to the upper bound.
  private func uniformRange(
    _ values: [UInt8], from first: Int, _ cpuPath: CPUPath
  ) -> WordRange? {
    let words = type.wordsPerUniform
    let mask: UInt32 = 1 << UInt32(type.decidedBits) - 1
    let lowest = element([UInt32](repeating: 0, count: words), cpuPath)
    for index in 0..<values.count / dtype.byteWidth {
      let wanted = number(values, index)
      guard wanted > lowest else {
        if wanted == lowest { continue }
        return nil
      }
      // Values ascend with the word but for the very last, which may fall back to the lower bound.
      func least(where isReached: (Double) -> Bool, rest: UInt32) -> UInt32 {
        var (low, high) = (UInt32(0), mask)
        while low < high {
          let middle = low + (high - low) / 2
          let value = element(words == 2 ? [middle, rest] : [middle], cpuPath)
          let wraps = middle > mask / 2 && value == lowest
          if wraps || isReached(value) { high = middle } else { low = middle + 1 }
        }
        return low
      }
      let start = least(where: { $0 >= wanted }, rest: .max)
      let end = least(where: { $0 > wanted }, rest: 0)
      let largest = element(words == 2 ? [start, .max] : [start], cpuPath)
      guard largest >= wanted, words == 2 || largest == wanted else { return nil }
      // `end` is the first word whose value is above the wanted one, or the last word of all if
      // there is none: only then it belongs to the range.
      let beyond = element([end, 0], cpuPath)
      let isBeyond = beyond > wanted || end > mask / 2 && beyond == lowest
      return WordRange(
        offset: (first + index) * words, mask: mask,
        bounds: start...max(start, isBeyond ? end - 1 : end))
    }
    return nil
  }

  /// The value that a uniform draw makes of one element's words.
  private func element(_ words: [UInt32], _ cpuPath: CPUPath) -> Double {
    var bytes = [UInt8](repeating: 0, count: dtype.byteWidth)
    let used = words.span.extracting(0..<type.wordsPerUniform)
    bytes.withMutableRawSpan { convert(used, as: cpuPath, into: &$0) }
    return dtype.number(at: 0, in: bytes)
  }

  /// The top `bits` bits of the uniform from which the radius of a pair of normals was made.
  ///
  /// R² = -2 ln(1 - u), so u follows from x² + y² to within what the values were rounded by.
  private func radius(
    _ pair: (Double, Double), _ mean: Double, _ deviation: Double, bits: Int
  ) -> ClosedRange<UInt32>? {
    let (x, y) = ((pair.0 - mean) / deviation, (pair.1 - mean) / deviation)
    guard x.isFinite, y.isFinite else { return nil }
    func uncertainty(_ value: Double, _ normal: Double) -> Double {
      type.precision * (abs(value) + abs(mean)) / deviation + 0x1p-21 * abs(normal) + 0x1p-24
    }
    let spread = abs(x) * uncertainty(pair.0, x) + abs(y) * uncertainty(pair.1, y)
    let half = (x * x + y * y) / 2
    let scale = Double(1 << bits)
    let low = (1 - exp(-max(half - spread, 0))) * scale - 2
    let high = (1 - exp(-(half + spread))) * scale + 2
    guard low < scale else { return nil }
    return UInt32(max(low, 0))...UInt32(min(high, scale - 1))
  }
}
