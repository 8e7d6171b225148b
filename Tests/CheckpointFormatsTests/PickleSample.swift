import ByteIO
import TensorCore
import TestSupport

/// Pickles and archives of torch.save made by hand, so that a test can put anything in them.
enum PickleSample {
  /// Opcodes, one call each, joined to a pickle.
  typealias Code = [UInt8]

  static let proto: Code = [0x80, 2]
  static let mark: Code = [0x28]
  static let stop: Code = [0x2e]
  static let reduce: Code = [0x52]
  static let none: Code = [0x4e]
  static let emptyDictionary: Code = [0x7d]
  static let emptyTuple: Code = [0x29]
  static let orderedDictionary = global("collections", "OrderedDict") + emptyTuple + reduce

  static func text(_ text: String) -> Code {
    [0x58] + little(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  static func int(_ number: Int) -> Code {
    // LONG1 with all eight bytes, and a ninth for the sign.
    [0x8a, 9] + little(UInt64(bitPattern: Int64(number))) + [number < 0 ? 0xff : 0]
  }

  static func global(_ module: String, _ name: String) -> Code {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }

  static func tuple(_ elements: Code...) -> Code { tuple(elements) }

  static func tuple(_ elements: [Code]) -> Code { mark + elements.joined() + [0x74] }

  static func little<Number: FixedWidthInteger>(_ number: Number) -> Code {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(number)
    return bytes
  }

  static func storage(
    key: String = "0", count: Code = int(6), type: Code = global("torch", "FloatStorage")
  ) -> Code {
    tuple(text("storage"), type, text(key), text("cpu"), count) + [0x51]
  }

  /// The call that makes a tensor.
  static func tensor(
    _ storage: Code = storage(), offset: Code = int(0), shape: Code? = nil, strides: Code? = nil,
    maker: String = "_rebuild_tensor_v2"
  ) -> Code {
    global("torch._utils", maker)
      + tuple(
        storage, offset, shape ?? tuple(int(2), int(3)), strides ?? tuple(int(3), int(1)), [0x89],
        orderedDictionary) + reduce
  }

  /// A pickle of one dictionary.
  static func dictionary(_ items: (String, Code)...) -> Code {
    proto + emptyDictionary + items.flatMap { text($0.0) + $0.1 + [0x73] } + stop
  }

  /// An archive of these members in the folder `x`; a storage `0` of 24 bytes unless said otherwise.
  static func archive(
    _ pickle: Code, storages: [String: Int] = ["0": 24], more: [(TensorName, [UInt8])] = [],
    in folder: TemporaryFolder
  ) throws -> String {
    let data = storages.map { (TensorName("x/data/" + $0.key), noise($0.value, seed: 1)) }
    let archive = try MemoryFiles.archive(
      [("x/data.pkl", pickle)] + data + [("x/version", Array("3\n".utf8))] + more)
    return try folder.write(archive, to: "a\(UInt64.random(in: 0...UInt64.max)).pt")
  }
}
