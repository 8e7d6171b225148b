import CKernels
import TensorCore

/// How often each byte occurs, in parts of 4096, as asymmetric numeral systems code it.
struct SymbolFrequencies {
  /// 0 for a byte that does not occur, else 1 to 4095.
  private(set) var parts: [256 of UInt16] = .init(repeating: 0)

  /// The sum of all parts.
  static let scale = 1 << 12

  /// Rounds counts to parts that take few bits, by integers alone; `nil` for fewer than two different
  /// bytes.
  ///
  /// A byte that occurs has at least one part. What is left over, or missing, goes to, or comes from, the
  /// bytes whose part is the furthest from their share.
  init?(counts: borrowing [256 of UInt32]) {
    var (total, used) = (0, 0)
    for index in counts.indices where counts[index] > 0 {
      total += Int(counts[index])
      used += 1
    }
    guard used > 1 else { return nil }
    var sum = 0
    for index in counts.indices where counts[index] > 0 {
      let part = max((Int(counts[index]) * Self.scale + total / 2) / total, 1)
      parts[index] = UInt16(min(part, Self.scale - 1))
      sum += Int(parts[index])
    }
    while sum != Self.scale {
      let step = sum > Self.scale ? -1 : 1
      var best: (index: Int, excess: Int)?
      for index in counts.indices {
        let part = Int(parts[index])
        guard part > 0, step > 0 ? part < Self.scale - 1 : part > 1 else { continue }
        // How far the new part is above the share, times the total and relative to the part.
        let excess = ((2 * part + step) * total - 2 * Int(counts[index]) * Self.scale) / part
        if best.map({ step > 0 ? excess < $0.excess : excess > $0.excess }) ?? true {
          best = (index, excess)
        }
      }
      guard let best else { return nil }
      parts[best.index] = UInt16(Int(parts[best.index]) + step)
      sum += step
    }
  }

  /// Bits of bytes that occur so often, without states and description; each of them must have a part.
  func bits(_ counts: borrowing [256 of UInt32]) -> Int {
    var sum = 0
    for index in counts.indices where counts[index] > 0 {
      precondition(parts[index] > 0, "a byte without a part")
      sum += Int(counts[index]) * ((12 << 10) - FixedLogarithm.logarithm(Int(parts[index])))
    }
    return sum >> 10
  }

  // MARK: - Description

  /// The parts as bytes, up to the last one that is not 0: below 128 one byte each, else two, the first
  /// one with its highest bit set; for zeros, 0 and their number minus 1.
  var description: [UInt8] {
    var (bytes, index, sum): ([UInt8], Int, Int) = ([], 0, 0)
    while sum < Self.scale {
      let part = Int(parts[index])
      if part == 0 {
        var end = index
        while parts[end] == 0 { end += 1 }
        bytes += [0, UInt8(end - index - 1)]
        index = end
        continue
      }
      if part < 128 {
        bytes.append(UInt8(part))
      } else {
        bytes += [UInt8(0x80 | part >> 8), UInt8(part & 0xff)]
      }
      sum += part
      index += 1
    }
    return bytes
  }

  /// Reads a description from the beginning of `bytes` and returns its size; `nil` if it is not valid.
  static func read(_ bytes: RawSpan, into parts: inout [256 of UInt16]) -> Int? {
    var (offset, index, sum) = (0, 0, 0)
    parts = .init(repeating: 0)
    while sum < scale {
      guard offset < bytes.byteCount, index < 256 else { return nil }
      let first = Int(bytes.byte(at: offset))
      offset += 1
      if first > 0, first < 128 {
        parts[index] = UInt16(first)
        (index, sum) = (index + 1, sum + first)
        continue
      }
      guard offset < bytes.byteCount else { return nil }
      let second = Int(bytes.byte(at: offset))
      offset += 1
      if first == 0 {
        index += second + 1
        continue
      }
      let part = (first & 0x7f) << 8 | second
      guard part >= 128, part < scale else { return nil }
      parts[index] = UInt16(part)
      (index, sum) = (index + 1, sum + part)
    }
    return sum == scale ? offset : nil
  }
}
