public import CCkpt
import CheckpointCommand
import Glibc
import JSONText
import TensorCore

@c @implementation
public func ckpt_write(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?, _ tensors: UnsafePointer<ckpt_table>,
  _ data: UnsafePointer<UnsafeRawPointer?>?, _ values: UnsafePointer<CChar>?,
  _ notes: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let call = unsafe Call.at(call)
    let (path, list) = unsafe (CTexts.path(path), CTexts.list(options))
    let checkpoint = unsafe Checkpoint(
      entries: try MemoryTensors.entries(of: tensors.pointee, data),
      values: try values.map { unsafe try MemoryTensors.values(String(cString: $0)) } ?? [])
    let all = list + call.threadOptions(list)
    let progress = call.progress
    let found = try call.run {
      try await Embedded.write(checkpoint, to: path, options: all, progress: progress)
    }
    var writer = JSONWriter()
    writer.strings(found)
    unsafe notes?.pointee = CTexts.copy(writer.text)
  }
}

/// Tensors in memory of the caller.
private enum MemoryTensors {
  /// Bytes of a tensor that stay where they are until the call returns.
  @safe
  private struct Bytes: @unchecked Sendable {  // only read
    let start: UnsafeRawPointer?
  }

  static func entries(
    of table: ckpt_table, _ data: UnsafePointer<UnsafeRawPointer?>?
  ) throws -> [Checkpoint.Entry] {
    var entries: [Checkpoint.Entry] = []
    var (name, size) = (0, 0)
    for index in unsafe 0..<Int(table.count) {
      let nameEnd = unsafe Int(table.name_ends[index])
      let sizeEnd = unsafe Int(table.size_ends[index])
      guard name <= nameEnd, size <= sizeEnd else { throw unordered(index) }
      let bytes = (name..<nameEnd).map { unsafe UInt8(bitPattern: table.names[$0]) }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw CheckpointError(.malformed, "the name of tensor \(index) is not UTF-8")
      }
      let sizes = (size..<sizeEnd).map { unsafe Int(table.sizes[$0]) }
      let entry = unsafe try entry(
        TensorName(text), table.dtypes[index], sizes, table.byte_counts[index],
        Bytes(start: data?[index]))
      entries.append(entry)
      let alias = unsafe Int(table.aliases[index])
      if alias >= 0 {
        guard alias < index, entries[alias].info == entry.info else { throw unordered(index) }
        entries[index].alias = entries[alias].alias ?? entries[alias].name
      }
      (name, size) = (nameEnd, sizeEnd)
    }
    return entries
  }

  private static func unordered(_ index: Int) -> CheckpointError {
    CheckpointError(
      .malformed,
      "tensor \(index): expected ends in ascending order, and an earlier tensor like it as its alias"
    )
  }

  private static func entry(
    _ name: TensorName, _ code: UInt8, _ sizes: [Int], _ byteCount: UInt64, _ bytes: Bytes
  ) throws -> Checkpoint.Entry {
    try CheckpointError.placing(tensor: name.text) {
      guard Int(code) < DType.allCases.count else {
        throw CheckpointError(.unsupported, "unknown element type \(code)")
      }
      let info = try TensorInfo(dtype: DType.allCases[Int(code)], shape: sizes)
      guard UInt64(info.byteCount) == byteCount else {
        throw CheckpointError(
          .mismatched,
          "shape \(info.shape) of \(info.dtype.rawValue) needs \(info.byteCount) bytes, found \(byteCount)"
        )
      }
      guard unsafe bytes.start != nil || info.byteCount == 0 else {
        throw CheckpointError(.missing, "has no data")
      }
      return Checkpoint.Entry(name: name, info: info) { range, target in
        unsafe target.withUnsafeMutableBytes { target in
          guard let start = unsafe bytes.start, let to = target.baseAddress else { return }
          unsafe memcpy(to, start + range.lowerBound, range.count)
        }
      }
    }
  }

  static func values(_ json: String) throws -> [Checkpoint.Named] {
    var room = ValueRoom()
    var scanner = JSONScanner(Array(json.utf8), maxDepth: Value.maxJSONDepth)
    let value = try Value.exact(&scanner, &room)
    try scanner.end()
    guard case .dictionary(let members) = value else {
      throw CheckpointError(.malformed, "expected a JSON object of values")
    }
    return members.map { Checkpoint.Named($0.name, $0.value) }
  }
}
