import ByteIO
import ParallelWork
import Strided
import TensorCore

/// New bytes for parts of a storage, made of new tensors that are views of it.
struct PyTorchPatches: Sendable {
  /// A tensor to fill, and its new elements.
  struct Part: Sendable {
    let tensor: PyTorchTensor
    let entry: Checkpoint.Entry
  }

  /// The new bytes and their offsets in the storage, apart from each other.
  private(set) var patches: [(offset: Int, entry: Checkpoint.Entry)] = []
  /// Whether no old byte of the storage is kept.
  private(set) var isWhole = false

  /// A tensor's elements, in the representation of the storage, and where they go in it.
  private struct Element {
    let part: Part
    let stored: Checkpoint.Entry
    let scatter: StridedScatter
    let base: Int

    var extent: Range<Int> {
      base + scatter.extent.lowerBound..<base + scatter.extent.upperBound
    }
  }

  /// Decides how tensors get into a storage.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for a tensor whose elements overlap; `mismatched` for
  ///   elements that share bytes and differ.
  init(_ parts: [Part], in storage: PyTorchStorage) throws {
    var elements: [Element] = []
    for part in parts where part.entry.info.byteCount > 0 {
      let stored = storage.stored(part.entry, as: part.tensor)
      elements.append(
        Element(
          part: part, stored: stored, scatter: try StridedScatter(stored, part.tensor.layout),
          base: part.tensor.storage.viewOffset))
    }
    elements.sort { $0.extent.lowerBound < $1.extent.lowerBound }
    var rest = elements[...]
    var dense = 0
    while let first = rest.first {
      var extent = first.extent
      var group: [Element] = []
      while let next = rest.first, group.isEmpty || next.extent.lowerBound < extent.upperBound {
        extent = extent.lowerBound..<max(extent.upperBound, next.extent.upperBound)
        group.append(next)
        rest.removeFirst()
      }
      if group.count == 1, !first.scatter.hasGaps {
        if first.scatter.isExpanded { try Self.check(group, extent, first.scatter.ordered) }
        patches.append((extent.lowerBound, first.scatter.ordered))
        dense += extent.count
      } else {
        let overlay = try Self.overlay(group, extent, of: storage)
        if group.count > 1 || first.scatter.isExpanded { try Self.check(group, extent, overlay) }
        patches.append((extent.lowerBound, overlay))
      }
    }
    isWhole = dense == storage.byteCount
  }

  /// The bytes of an extent with the elements put in.
  private static func overlay(
    _ group: [Element], _ extent: Range<Int>, of storage: PyTorchStorage
  ) throws(CheckpointError) -> Checkpoint.Entry {
    let name = group[0].part.entry.name
    let info = try TensorInfo(dtype: .uint8, shape: [extent.count])
    let layers = group.map { (scatter: $0.scatter, base: $0.base) }
    var entry = Checkpoint.Entry(name: name, info: info) { [read = storage.read] range, target in
      let start = extent.lowerBound + range.lowerBound
      try read(start, &target)
      for (scatter, base) in layers { try scatter.put(into: &target, at: start - base) }
    }
    entry.preferredReadSize = StridedView.preferredReadSize
    return entry
  }

  /// Makes sure that each tensor, read as the view that it is, is what was put in.
  private static func check(
    _ group: [Element], _ extent: Range<Int>, _ bytes: Checkpoint.Entry
  ) throws {
    for element in group {
      let view = StridedView(element.part.tensor.layout)
      let distance = element.base - extent.lowerBound
      let found = Checkpoint.Entry(name: element.stored.name, info: element.stored.info) {
        range, target in
        try view.read(range, into: &target) { offset, part in
          let start = offset + distance
          try bytes.read(start..<start + part.byteCount, into: &part)
        }
      }
      if try found.hasBytes(of: element.stored) { continue }
      let other = group.first {
        $0.stored.name != element.stored.name && $0.extent.overlaps(element.extent)
      }
      throw CheckpointError(
        .mismatched,
        other.map { "shares bytes with '\($0.stored.name)', which gets other values" }
          ?? "is an expanded view, whose elements share bytes, but not all get the same value",
        tensor: element.stored.name.text)
    }
  }
}
