import ByteIO
import TensorCore

/// Files of `torch.save` from 0.1.10 to 1.5, and of later versions on request: four pickles, the list
/// of storages, then the number of elements and the bytes of each storage.
///
/// Source: torch 2.15 `serialization.py`, `_legacy_save` and `_legacy_load`.
enum PyTorchStream {
  /// The magic number at the beginning of a file, pickled with LONG1.
  private static let magic: [UInt8] = [
    0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]
  private static let protocolVersion = 1001

  /// Whether a file begins with a pickle of the magic number.
  static func recognizes(_ head: [UInt8]) -> Bool {
    guard head.count > 2, head[0] == 0x80 else { return false }
    let rest = head.dropFirst(2)
    // Protocol 4 and later begin with a FRAME opcode and 8 bytes of size.
    return rest.starts(with: magic) || (rest.first == 0x95 && rest.dropFirst(9).starts(with: magic))
  }

  static func open(_ file: ByteSource) throws(CheckpointError) -> PyTorchFile {
    var stream = PickleStream(file)
    let magic = try stream.next()
    let versionStart = stream.position
    let version = try stream.next()
    guard version.int(version.root) == protocolVersion else {
      throw CheckpointError(
        .unsupported, "expected protocol \(protocolVersion) of torch.save, found a different one",
        offset: stream.position)
    }
    let systemStart = stream.position
    let system = try stream.next()
    let isBigEndian = try isBigEndian(system, stream.position)
    let start = stream.position
    let pickle = try stream.next()
    let listStart = stream.position
    let list = try stream.next()
    guard let keys = list.elements(list.root) else {
      throw CheckpointError(
        .malformed, "expected a list of storages after the pickle", offset: stream.position)
    }
    var opened = PyTorchFile(container: .file(file), pickle: pickle, pickleOffset: start)
    opened.otherPickles = [
      ("magic number", 0, magic), ("protocol", versionStart, version),
      ("system", systemStart, system), ("storages", listStart, list),
    ]
    let widths = try storageWidths(pickle)
    for key in keys {
      guard let name = list.keyText(key), let width = widths[TensorName(name)] else {
        throw CheckpointError(
          .malformed, "the list names a storage that the pickle does not use",
          offset: stream.position)
      }
      let offset = stream.position
      // Of a truncated file, the storages before its end can be rescued.
      if Rescue.current != nil, file.size - offset < 8 { break }
      let count = try stream.number(UInt64.self)
      // The file counts elements; their width follows from the storage's class, which only the
      // pickle names.
      let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(width))
      guard !overflow, let bytes = Int(exactly: bytes) else {
        throw CheckpointError(.malformed, "overflow: \(count) elements", offset: offset)
      }
      if Rescue.current != nil, file.size - stream.position < bytes { break }
      let range = try stream.skip(bytes)
      let storage = PyTorchStorage(file, range, isBigEndian: isBigEndian)
      guard opened.storages.updateValue(storage, forKey: TensorName(name)) == nil else {
        throw CheckpointError(.malformed, "there are two storages named '\(name)'", offset: offset)
      }
    }
    guard stream.position == file.size || Rescue.current != nil else {
      throw CheckpointError(
        .malformed,
        "expected the end of the file after the last storage, found "
          + "\(file.size - stream.position) more bytes",
        offset: stream.position)
    }
    return opened
  }

  private static func isBigEndian(
    _ system: Pickle, _ position: Int
  ) throws(CheckpointError) -> Bool {
    guard let value = system.item(system.root, "little_endian"),
      case .bool(let isLittle) = system[value]
    else {
      throw CheckpointError(
        .malformed, "the third pickle does not state the byte order", offset: position)
    }
    return !isLittle
  }

  /// The element size in bytes of each storage that a pickle refers to.
  private static func storageWidths(_ pickle: Pickle) throws(CheckpointError) -> [TensorName: Int] {
    let decoder = PyTorchTensorDecoder(pickle: pickle)
    var widths: [TensorName: Int] = [:]
    for value in 0..<Pickle.Reference(pickle.values.count) {
      guard case .persistent(let identifier) = pickle[value],
        let first = pickle.elements(identifier)?.first, pickle.text(first) == "storage"
      else { continue }
      let (storage, _) = try decoder.storage(value)
      let known = widths.updateValue(storage.elementWidth, forKey: TensorName(storage.key))
      guard known == nil || known == storage.elementWidth else {
        throw CheckpointError(.malformed, "storage '\(storage.key)' has two element types")
      }
    }
    return widths
  }
}
