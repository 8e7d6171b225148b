import ByteIO
import Strided
import TensorCore

/// Makes a checkpoint of a bundle: tensors, and values of the tensors of strings.
struct TensorFlowReader {
  private let bundle: TensorBundle
  private var opened = Opened(Checkpoint(entries: []))
  private var narrowed = NarrowNotes()
  private var room = ValueRoom()

  init(_ bundle: TensorBundle) { self.bundle = bundle }

  /// All tensors in the order of the index.
  mutating func contents() throws(CheckpointError) -> Opened {
    let whole = bundle.entries.filter { !TensorSliceKey.isSlice($0.key) }
    let names = TensorFlowNames.names(of: whole.map { String(decoding: $0.key, as: UTF8.self) })
    for (entry, name) in zip(whole, names) {
      if name == TensorFlowNames.objectGraph {
        opened.checkpoint.values.append(
          Checkpoint.Named(name, .unread("the graph of Python objects")))
        continue
      }
      do throws(CheckpointError) {
        try add(entry, TensorName(name))
      } catch {
        try Rescue.leaveOut(error.adding(tensor: name))
      }
    }
    opened.notes += narrowed.notes
    // Every byte is covered if the tensors fill the files; the index has checksums of its own.
    let stored = bundle.entries.filter(\.slices.isEmpty).map(\.range.count).saturatedSum()
    let held = bundle.shards.values.map(\.size).saturatedSum()
    opened.coverage = stored == held ? .everything : .tensors
    return opened
  }

  private mutating func add(
    _ entry: TensorBundle.Entry, _ name: TensorName
  ) throws(CheckpointError) {
    if entry.type == TensorFlow.stringType, entry.slices.isEmpty {
      let texts = try TensorFlowTexts(entry, in: try bundle.data(of: entry))
      let value = try texts.value(in: &room)
      opened.checkpoint.values.append(Checkpoint.Named(name.text, value))
      return
    }
    let narrow = TensorFlow.narrow[entry.type]
    guard let dtype = narrow?.dtype ?? TensorFlow.types[entry.type] else {
      let kind = entry.type == 21 ? "a variant" : "elements of TensorFlow's type \(entry.type)"
      return opened.addUnread(
        name.text, kind, note: "tensor '\(name)' has \(kind), which is not read; left out")
    }
    let info = try TensorInfo(dtype: dtype, shape: entry.sizes)
    if let narrow { narrowed.add(narrow, name) }
    guard entry.slices.isEmpty else {
      opened.checkpoint.entries.append(try joined(entry, name, info))
      return
    }
    opened.checkpoint.entries.append(try stored(entry, name, info))
  }

  /// A tensor whose elements are in one place.
  private func stored(
    _ entry: TensorBundle.Entry, _ name: TensorName, _ info: TensorInfo
  ) throws(CheckpointError) -> Checkpoint.Entry {
    guard entry.range.count == info.byteCount else {
      throw CheckpointError(
        .malformed,
        "expected \(info.byteCount) bytes for shape \(info.shape) of \(info.dtype.rawValue), found "
          + "\(entry.range.count)")
    }
    let data = try bundle.data(of: entry)
    let narrow = TensorFlow.narrow[entry.type]
    let entry = Checkpoint.Entry(name: name, info: info) { range, target in
      if let narrow { return try narrow.read(range, into: &target, from: data) }
      try data.read(at: range.lowerBound, into: &target)
    }
    return bundle.isBigEndian && narrow == nil ? entry.swapped(info.dtype.element.wordWidth) : entry
  }

  /// A tensor that is divided into slices.
  private func joined(
    _ entry: TensorBundle.Entry, _ name: TensorName, _ info: TensorInfo
  ) throws(CheckpointError) -> Checkpoint.Entry {
    var boxes: [BoxedTensor.Box] = []
    for slice in entry.slices {
      let key = TensorSliceKey.bytes(entry.key, starts: slice.starts, sizes: slice.sizes)
      guard slice.starts.count == info.shape.count, let part = bundle.entry(for: key),
        part.type == entry.type, part.slices.isEmpty
      else {
        throw CheckpointError(
          .malformed, "the index has no slice of it that begins at \(slice.starts)")
      }
      let sizes = zip(slice.sizes, info.shape).map { $0 < 0 ? $1 : $0 }
      guard part.sizes == sizes else {
        throw CheckpointError(
          .malformed, "expected a slice of shape \(sizes), found \(part.sizes)")
      }
      let partInfo = try TensorInfo(dtype: info.dtype, shape: sizes)
      boxes.append(
        BoxedTensor.Box(offsets: slice.starts, sizes: sizes) {
          [entry = try stored(part, name, partInfo)] _ in
          entry
        })
    }
    let tensor = try BoxedTensor(info, boxes)
    return Checkpoint.Entry(name: name, info: info) { try tensor.read($0, into: &$1) }
  }
}
