public import CCkpt
import CheckpointCommand
import Glibc
import JSONText
import ParallelWork
import TensorCore

/// An opened checkpoint, with its table of tensors.
@safe
final class OpenFile: @unchecked Sendable {  // never changes
  let checkpoint: Checkpoint
  let notes: [String]
  let format: UnsafeMutablePointer<CChar>
  let table: UnsafeMutablePointer<ckpt_table>

  init(_ file: Embedded.File) {
    checkpoint = file.checkpoint
    notes = file.notes
    unsafe format = CTexts.copy(file.format)
    unsafe table = .allocate(capacity: 1)
    unsafe table.initialize(to: Self.table(of: file.checkpoint.entries))
  }

  deinit {
    unsafe format.deallocate()
    unsafe table.pointee.names.deallocate()
    unsafe table.pointee.name_ends.deallocate()
    unsafe table.pointee.dtypes.deallocate()
    unsafe table.pointee.sizes.deallocate()
    unsafe table.pointee.size_ends.deallocate()
    unsafe table.pointee.byte_counts.deallocate()
    unsafe table.pointee.aliases.deallocate()
    unsafe table.deallocate()
  }

  /// The file that a pointer stands for.
  static func at(_ pointer: OpaquePointer) -> OpenFile {
    unsafe Unmanaged<OpenFile>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }

  private static func table(of entries: [Checkpoint.Entry]) -> ckpt_table {
    var codes: [DType: UInt8] = [:]
    for (index, dtype) in DType.allCases.enumerated() { codes[dtype] = UInt8(index) }
    var indices: [TensorName: Int64] = [:]
    let hasAliases = entries.contains { $0.alias != nil }
    var names: [UInt8] = []
    var (nameEnds, sizeEnds, byteCounts): ([UInt64], [UInt64], [UInt64]) = ([], [], [])
    var (sizes, aliases): ([Int64], [Int64]) = ([], [])
    var dtypes: [UInt8] = []
    for (index, entry) in entries.enumerated() {
      names += entry.name.text.utf8
      nameEnds.append(UInt64(names.count))
      dtypes.append(codes[entry.info.dtype] ?? .max)
      for size in entry.info.shape { sizes.append(Int64(size)) }
      sizeEnds.append(UInt64(sizes.count))
      byteCounts.append(UInt64(entry.info.byteCount))
      if hasAliases { indices[entry.name] = Int64(index) }
      aliases.append(entry.alias.flatMap { indices[$0] } ?? -1)
    }
    return unsafe ckpt_table(
      count: UInt64(entries.count),
      names: UnsafeRawPointer(array(names)).assumingMemoryBound(to: CChar.self),
      name_ends: array(nameEnds), dtypes: array(dtypes), sizes: array(sizes),
      size_ends: array(sizeEnds), byte_counts: array(byteCounts), aliases: array(aliases))
  }

  private static func array<Element: BitwiseCopyable>(
    _ elements: [Element]
  ) -> UnsafePointer<Element> {
    let copy = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(elements.count, 1))
    _ = unsafe copy.initialize(from: elements)
    // A buffer of at least one element has an address.
    return unsafe UnsafePointer(copy.baseAddress ?? UnsafeMutablePointer(bitPattern: 64)!)
  }
}

@c @implementation
public func ckpt_dtype_name(_ dtype: UInt8) -> UnsafePointer<CChar>? {
  unsafe Int(dtype) < DTypeNames.all.count ? DTypeNames.all[Int(dtype)] : nil
}

/// The names of element types, which are never freed.
private enum DTypeNames {
  nonisolated(unsafe) static let all = unsafe DType.allCases.map {
    unsafe UnsafePointer(CTexts.copy($0.rawValue))
  }
}

private func hand(
  _ file: Embedded.File, to target: UnsafeMutablePointer<OpaquePointer?>
) {
  unsafe target.pointee = OpaquePointer(Unmanaged.passRetained(OpenFile(file)).toOpaque())
}

@c @implementation
public func ckpt_open(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?, _ file: UnsafeMutablePointer<OpaquePointer?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let call = unsafe Call.at(call)
    let (path, list) = unsafe (CTexts.path(path), CTexts.list(options))
    try call.check()
    let threads = list.isEmpty ? [] : call.threadOptions(list)
    unsafe hand(try Embedded.open(path, options: list + threads), to: file)
  }
}

@c @implementation
public func ckpt_open_model(
  _ call: OpaquePointer?, _ model: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?, _ file: UnsafeMutablePointer<OpaquePointer?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let (model, list) = unsafe (CTexts.path(model), CTexts.list(options))
    unsafe try Call.at(call).check()
    unsafe hand(try Embedded.open(model: model, options: list), to: file)
  }
}

@c @implementation
public func ckpt_file_free(_ file: OpaquePointer?) {
  guard let file = unsafe file else { return }
  ForkedProcess.run { unsafe Unmanaged<OpenFile>.fromOpaque(UnsafeRawPointer(file)).release() }
}

@c @implementation
public func ckpt_tensors(_ file: OpaquePointer) -> UnsafePointer<ckpt_table> {
  unsafe UnsafePointer(OpenFile.at(file).table)
}

@c @implementation
public func ckpt_format(_ file: OpaquePointer) -> UnsafePointer<CChar> {
  unsafe UnsafePointer(OpenFile.at(file).format)
}

@c @implementation
public func ckpt_values(
  _ file: OpaquePointer, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  var writer = JSONWriter()
  let values = unsafe OpenFile.at(file).checkpoint.values
  writer.exact(.dictionary(values.map { Value.Member($0.name, $0.value) }))
  unsafe json.pointee = CTexts.copy(writer.text)
  return nil
}

@c @implementation
public func ckpt_notes(
  _ file: OpaquePointer, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  var writer = JSONWriter()
  writer.strings(unsafe OpenFile.at(file).notes)
  unsafe json.pointee = CTexts.copy(writer.text)
  return nil
}
