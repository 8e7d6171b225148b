import ByteIO
import FoundationEssentials
@testable import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Damaged chunks of every filter, whose checksums are right: what a decoder sees, no checksum has
/// caught.
@Suite struct NativeChunkFuzzTests {
  /// Damaged chunks per filter; CKPT_FUZZ_CHUNKS=30600 makes a million of all.
  static let chunks =
    ProcessInfo.processInfo.environment["CKPT_FUZZ_CHUNKS"].flatMap { Int($0) } ?? 60

  /// A content that a filter accepts for `count` words of the chunk.
  static func content(_ filter: NativeFilter, _ count: Int, _ dice: inout SplitMix) -> [UInt8] {
    let width = filter.width
    func draws(_ count: Int) -> [UInt8] {
      let mask: UInt8 = [1, 3, 255][dice.below(3)]
      return (0..<count).map { _ in UInt8(truncatingIfNeeded: dice.next()) & mask }
    }
    /// Bits, of which those after the first `count` are zeros.
    func bits(_ count: Int) -> [UInt8] {
      var bytes = draws((count + 7) / 8)
      if count % 8 > 0 { bytes[bytes.count - 1] &= 1 << UInt8(count % 8) - 1 }
      return bytes
    }
    var (made, rest) = ([UInt8](), count)
    if filter.isSparse {
      made = bits(count)
      rest = made.reduce(0) { $0 + $1.nonzeroBitCount }
      made += bits(count - rest)
    }
    if let columns = filter.columns {
      made += draws(2 * ((count + columns - 1) / columns)) + draws(2 * columns)
    }
    switch filter.layout {
    case .bits:
      for _ in 0..<4 * width { made += bits(rest) }
      return made + draws(width / 2 * rest)
    case .palette:
      let words = [1, 2, 3, 4, 5, 16, 17, 200][dice.below(8)]
      made.append(UInt8(words - 1))
      // Ascending: differences are small, and only the first may be 0.
      made += (0..<words).map { UInt8($0 == 0 ? 0 : 1 + dice.below(width == 1 ? 1 : 255)) }
      made += [UInt8](repeating: 0, count: words * (width - 1))
      let each = words <= 2 ? 8 : words <= 4 ? 4 : words <= 16 ? 2 : 1
      return made
        + stride(from: 0, to: rest, by: each).map { start in
          (0..<min(each, rest - start)).reduce(UInt8(0)) { byte, index in
            byte | UInt8(dice.below(words)) << UInt8(index * 8 / each)
          }
        }
    case .raw, .base, .planes, .rotatedPlanes, .differences: return made + draws(rest * width)
    }
  }

  /// Changes some bytes, or how many there are, preferably of the beginning.
  static func damage(_ bytes: inout [UInt8], _ dice: inout SplitMix) {
    for _ in 0...dice.below(3) {
      let limit = dice.below(2) == 0 ? bytes.count : min(bytes.count, 40)
      let place = dice.below(limit)
      switch dice.below(8) {
      case 0: bytes.insert(UInt8(dice.below(256)), at: place)
      case 1 where !bytes.isEmpty: bytes.remove(at: place)
      case 2: bytes.removeLast(dice.below(min(bytes.count, 20) + 1))
      case 3: bytes += [UInt8](repeating: UInt8(dice.below(256)), count: dice.below(20))
      case 4 where !bytes.isEmpty: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][dice.below(5)]
      case _ where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(dice.below(8))
      default: break
      }
    }
  }

  /// The stream of a content: of stored blocks, or packed.
  static func stream(
    _ content: [UInt8], isRanged: Bool, _ dice: inout SplitMix
  ) throws -> [UInt8] {
    if isRanged { return rangedStream(content, &dice) }
    if dice.below(4) == 0 { return try Zlib.deflate(content.rawBytes, level: 1) }
    var stream: [UInt8] = [0x78, 1]
    var rest = content[...]
    repeat {
      let part = rest.prefix(0xffff)
      rest = rest.dropFirst(0xffff)
      let (low, high) = (UInt8(part.count & 0xff), UInt8(part.count >> 8))
      stream += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high] + part
    } while !rest.isEmpty
    let sum = Checksum.adler32(content.rawBytes)
    return stream + (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
  }

  private static func rangedStream(_ content: [UInt8], _ dice: inout SplitMix) -> [UInt8] {
    var packed: PlaneCodec.Packed?
    let memory = [UInt8](count: PlaneCodec.maxStreamSize(content.count)) { target in
      packed = PlaneCodec.pack(
        content.rawBytes, parts: [content.count], rangedIfSaving: 0, into: &target)
    }
    if let packed, packed.isRanged, dice.below(4) > 0 { return Array(memory[..<packed.count]) }
    var stream: [UInt8] = []
    stream.appendLittleEndian(UInt32(content.count << 2))
    return stream + content
  }

  /// All but those that need a base: differences are decoded like other words.
  static let names = NativeFilterTests.names.dropFirst().filter {
    NativeFilter(name: $0)?.needsBase == false
  }

  @Test(arguments: names)
  func `a damaged chunk is read or refused`(_ name: String) throws {
    let filter = try #require(NativeFilter(name: name))
    var dice = SplitMix(seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    var (read, refused) = (0, 0)
    var (count, sound) = (0, [UInt8]())
    for round in 0..<Self.chunks {
      if round % 16 == 0 {
        count = [1, 2, 7, 8, 9, 31, 64, 65, 100, 257, 1000][dice.below(11)]
        sound = Self.content(filter, count, &dice)
        let stream = try Self.stream(sound, isRanged: filter.isRanged, &dice)
        _ = try NativeChunkTests.unpacked(stream, filter, count: count * filter.wideWidth)
        continue
      }
      var (content, stream, target) = (sound, [UInt8](), count * filter.wideWidth)
      switch round % 4 {
      case 0:
        // Of another length than the index says, still of whole words.
        stream = try Self.stream(content, isRanged: filter.isRanged, &dice)
        target = (count + [-1, 1, 8][dice.below(3)]) * filter.wideWidth
      case 1:
        stream = try Self.stream(content, isRanged: filter.isRanged, &dice)
        Self.damage(&stream, &dice)
      default:
        Self.damage(&content, &dice)
        stream = try Self.stream(content, isRanged: filter.isRanged, &dice)
      }
      do throws(CheckpointError) {
        _ = try NativeChunkTests.unpacked(stream, filter, count: target)
        read += 1
      } catch {
        #expect(error.code == .malformed)
        refused += 1
      }
    }
    #expect(read > 0 && refused > 0, "\(read) read, \(refused) refused")
  }
}
