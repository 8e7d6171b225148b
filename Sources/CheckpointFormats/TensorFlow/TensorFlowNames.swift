import ByteIO
import TensorCore

/// The names of tensors: keys of an index, with dots between their parts.
///
/// Variables of TensorFlow 2 have the paths of Python attributes, and what is stored of the object
/// after them: `model/dense/kernel/.ATTRIBUTES/VARIABLE_VALUE` is `model.dense.kernel`. Other keys are
/// names of TensorFlow 1: `bert/encoder/layer_0/kernel` is `bert.encoder.layer_0.kernel`.
enum TensorFlowNames {
  /// The key of the graph of objects: which Python objects the paths lead to, and their slots.
  static let objectGraph = "_CHECKPOINTABLE_OBJECT_GRAPH"
  private static let attributes = ".ATTRIBUTES"
  private static let value = "VARIABLE_VALUE"

  /// The names of keys; those that would get one name stay as they are.
  static func names(of keys: [String]) -> [String] {
    let dotted = keys.map(dotted)
    var counts: [TensorName: Int] = [:]
    for name in dotted { counts[TensorName(name), default: 0] += 1 }
    return zip(keys, dotted).map { key, name in counts[TensorName(name)] == 1 ? name : key }
  }

  private static func dotted(_ key: String) -> String {
    var parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let mark = parts.lastIndex(of: attributes), mark > 0 else {
      return parts.joined(separator: ".")
    }
    if parts.dropFirst(mark + 1).elementsEqual([value]) {
      parts.removeSubrange(mark...)
    } else {
      parts.remove(at: mark)
    }
    return parts.map(unescaped).joined(separator: ".")
  }

  /// `.S` stands for a slash and two dots for one (`_escape_local_name`); a mark such as
  /// `.OPTIMIZER_SLOT` loses its dot.
  private static func unescaped(_ part: String) -> String {
    if part == ".OPTIMIZER_SLOT" { return String(part.dropFirst()) }
    guard part.utf8.contains(UInt8(ascii: ".")) else { return part }
    var text: [UInt8] = []
    var rest = Array(part.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "."), let next = rest.first else {
        text.append(byte)
        continue
      }
      switch next {
      case UInt8(ascii: "S"): text.append(UInt8(ascii: "/"))
      case UInt8(ascii: "."): text.append(next)
      default:
        text.append(byte)
        continue
      }
      rest.removeFirst()
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// What errors call a key.
  static func shown(_ key: [UInt8]) -> String {
    names(of: [String(decoding: key, as: UTF8.self)])[0]
  }
}

/// The keys of slices: LevelDB's ordered code of a name, the number of dimensions, and begin and size
/// of each (`EncodeTensorNameSlice`).
///
/// Source: tensorflow 2.21, `core/util/saved_tensor_slice_util.cc`, `tsl/lib/strings/ordered_code.cc`.
enum TensorSliceKey {
  /// Whether a key is that of a slice; names do not begin with a zero byte.
  static func isSlice(_ key: [UInt8]) -> Bool { key.first == 0 }

  static func bytes(_ name: [UInt8], starts: [Int], sizes: [Int]) -> [UInt8] {
    var key = number(0)
    for byte in name {
      // 0 and 255 are escaped; 0 and 1 end the text.
      key += byte == 0 ? [0, 0xff] : byte == 0xff ? [0xff, 0] : [byte]
    }
    key += [0, 1] + number(UInt64(starts.count))
    for (start, size) in zip(starts, sizes) { key += signed(start) + signed(size) }
    return key
  }

  /// The number of bytes, then these, the most significant first (`WriteNumIncreasing`).
  private static func number(_ number: UInt64) -> [UInt8] {
    let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    let own = bytes.drop { $0 == 0 }
    return [UInt8(own.count)] + own
  }

  /// As many set bits as there are bytes, then the number, negative ones complemented
  /// (`WriteSignedNumIncreasing`).
  private static func signed(_ number: Int) -> [UInt8] {
    let magnitude = UInt64(bitPattern: Int64(number < 0 ? ~number : number))
    // With n bytes there is room for 7n - 1 bits beside n marks and the sign.
    let bits = 64 - magnitude.leadingZeroBitCount
    let count = min(bits / 7 + 1, 10)
    var bytes = [UInt8](repeating: 0, count: 10)
    for index in 0..<8 {
      bytes[9 - index] = UInt8(truncatingIfNeeded: magnitude >> (8 * UInt64(index)))
    }
    bytes = Array(bytes.suffix(count))
    let marks: [UInt8] = [0x80, 0xc0, 0xe0, 0xf0, 0xf8, 0xfc, 0xfe, 0xff, 0xff, 0xff]
    bytes[0] |= marks[count - 1]
    if count > 8 { bytes[1] |= count == 9 ? 0x80 : 0xc0 }
    return number < 0 ? bytes.map { ~$0 } : bytes
  }
}
