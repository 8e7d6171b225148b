import ByteIO
import Strided
import TensorCore

/// Files of `torch.save` before 0.1.10: a tar archive of storages, tensors, and a pickle.
///
/// Source: torch 2.15 `serialization.py`, `legacy_load` in `_legacy_load`. Numbers are little-endian.
enum PyTorchTar {
  private static let members = ["sys_info", "pickle", "tensors", "storages"]

  /// Whether a file begins with the header of one of the members.
  static func recognizes(_ head: [UInt8]) -> Bool {
    guard head.count >= 512, head[257..<262].elementsEqual("ustar".utf8) else { return false }
    let name = String(decoding: head.prefix(100).prefix { $0 != 0 }, as: UTF8.self)
    return members.contains(name) || head[156] == UInt8(ascii: "x")
  }

  static func open(_ file: ByteSource) throws(CheckpointError) -> PyTorchFile {
    let ranges = try ranges(in: file)
    func range(_ name: String) throws(CheckpointError) -> Range<Int> {
      guard let range = ranges[name] else {
        throw CheckpointError(.malformed, "the tar archive has no member '\(name)'", offset: 0)
      }
      return range
    }
    let pickleRange = try range("pickle")
    var stream = PickleStream(file, pickleRange)
    let pickle = try stream.next()
    var opened = PyTorchFile(
      container: .file(file), pickle: pickle, pickleOffset: pickleRange.lowerBound)
    var types: [TensorName: (reference: PyTorchStorageReference, dtype: DType)] = [:]
    try readStorages(file, try range("storages"), into: &opened, &types)
    try readTensors(file, try range("tensors"), into: &opened, types)
    return opened
  }

  // MARK: - The archive

  /// The byte range of each member's content.
  static func ranges(in file: ByteSource) throws(CheckpointError) -> [String: Range<Int>] {
    var ranges: [String: Range<Int>] = [:]
    for member in try TarArchive(file).members {
      guard ranges.updateValue(member.range, forKey: member.name) == nil else {
        throw CheckpointError(
          .malformed, "there are two tar members named '\(member.name)'",
          offset: member.range.lowerBound)
      }
    }
    return ranges
  }

  // MARK: - Storages and tensors

  private static func readStorages(
    _ file: ByteSource, _ range: Range<Int>, into opened: inout PyTorchFile,
    _ types: inout [TensorName: (reference: PyTorchStorageReference, dtype: DType)]
  ) throws(CheckpointError) {
    var stream = PickleStream(file, range)
    for _ in 0..<(try count(&stream)) {
      let start = stream.position
      let pickle = try stream.next()
      opened.otherPickles.append(("storages", start, pickle))
      guard let parts = pickle.elements(pickle.root), parts.count == 3,
        let key = pickle.keyText(parts[0]), let global = pickle.global(parts[2]),
        case .typed(let dtype)? = PyTorchGlobals.storage(global)
      else {
        throw CheckpointError(
          .malformed, "expected the description of a storage here", offset: start)
      }
      let count = try stream.number(UInt64.self)
      let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(dtype.byteWidth))
      guard !overflow, let bytes = Int(exactly: bytes) else {
        throw CheckpointError(.malformed, "overflow: \(count) elements", offset: start)
      }
      let storage = PyTorchStorage(file, try stream.skip(bytes), isBigEndian: false)
      guard opened.storages.updateValue(storage, forKey: TensorName(key)) == nil else {
        throw CheckpointError(.malformed, "there are two storages named '\(key)'", offset: start)
      }
      let reference = PyTorchStorageReference(
        key: key, elementWidth: dtype.byteWidth, byteCount: bytes)
      types[TensorName(key)] = (reference, dtype)
    }
    let views = try stream.next()
    for view in views.elements(views.root) ?? [] {
      guard let parts = views.elements(view), parts.count == 4,
        let target = views.keyText(parts[0]), let root = views.keyText(parts[1]),
        let offset = views.int(parts[2]), let count = views.int(parts[3]),
        let (whole, dtype) = types[TensorName(root)], offset >= 0, count >= 0,
        offset <= whole.byteCount / dtype.byteWidth,
        count <= whole.byteCount / dtype.byteWidth - offset
      else {
        throw CheckpointError(
          .malformed, "a part of a storage extends beyond its end", offset: stream.position)
      }
      let reference = PyTorchStorageReference(
        key: whole.key, elementWidth: dtype.byteWidth,
        byteCount: count.saturated(times: dtype.byteWidth),
        viewOffset: whole.viewOffset + offset.saturated(times: dtype.byteWidth))
      types[TensorName(target)] = (reference, dtype)
    }
  }

  private static func readTensors(
    _ file: ByteSource, _ range: Range<Int>, into opened: inout PyTorchFile,
    _ types: [TensorName: (reference: PyTorchStorageReference, dtype: DType)]
  ) throws(CheckpointError) {
    var stream = PickleStream(file, range)
    for _ in 0..<(try count(&stream)) {
      let start = stream.position
      let pickle = try stream.next()
      opened.otherPickles.append(("tensors", start, pickle))
      guard let parts = pickle.elements(pickle.root), parts.count == 3,
        let key = pickle.keyText(parts[0]), let storageKey = pickle.keyText(parts[1]),
        let (storage, dtype) = types[TensorName(storageKey)]
      else {
        throw CheckpointError(
          .malformed, "expected the description of a tensor here", offset: start)
      }
      // The rank, 4 bytes of padding, then sizes, strides, and the offset in elements, of 8 bytes
      // each.
      let rank = Int(try stream.number(Int32.self))
      _ = try stream.skip(4)
      guard (0...StridedLayout.maxRank).contains(rank) else {
        throw CheckpointError(
          .malformed, "expected at most \(StridedLayout.maxRank) dimensions, found \(rank)",
          offset: start)
      }
      var numbers: [Int] = []
      for _ in 0..<2 * rank + 1 { numbers.append(Int(try stream.number(Int64.self))) }
      try CheckpointError.placing(offset: start) { () throws(CheckpointError) in
        let info = try TensorInfo(dtype: dtype, shape: Array(numbers[..<rank]))
        let layout = try StridedLayout(
          info, strides: Array(numbers[rank..<2 * rank]), offset: numbers[2 * rank])
        guard layout.reach <= storage.byteCount else {
          throw CheckpointError(
            .malformed,
            "tensor extends to byte \(layout.reach) of its storage, which has"
              + " \(storage.byteCount)")
        }
        opened.tensors[key] = PyTorchTensor(storage: storage, info: info, layout: layout)
      }
    }
  }

  /// The pickled number at the beginning of a member.
  private static func count(_ stream: inout PickleStream) throws(CheckpointError) -> Int {
    let pickle = try stream.next()
    guard let count = pickle.int(pickle.root), count >= 0 else {
      throw CheckpointError(
        .malformed, "expected a count at the beginning of a tar member",
        offset: stream.position)
    }
    return count
  }
}
