import TensorCore

/// Finds the datasets that a virtual dataset shows.
enum HDF5VirtualSources {
  /// The sources of a virtual dataset, all in this file, or the reason why it is refused.
  ///
  /// `resolve` gives the address of the object at a path, which is relative to the root.
  static func all(
    _ address: UInt64?, index: Int, of info: TensorInfo, in metadata: HDF5Metadata,
    resolve: (_ path: String) throws(CheckpointError) -> UInt64?
  ) throws(CheckpointError) -> (HDF5Table.Storage, [HDF5Table.VirtualSource]) {
    guard let address else { return (.unwritten, []) }
    let layout: HDF5VirtualLayout
    do throws(CheckpointError) {
      layout = try HDF5VirtualLayout(
        try HDF5GlobalHeap.object(index, of: address, in: metadata), in: metadata)
    } catch {
      guard error.code == .unsupported else { throw error }
      return (.refused("is a virtual dataset that is not read: \(error.message)"), [])
    }
    var known: [TensorName: HDF5Table.Dataset] = [:]
    var sources: [HDF5Table.VirtualSource] = []
    var left = info.elementCount
    for mapping in layout.mappings {
      guard mapping.file == "." else {
        return (
          .refused("is a virtual dataset: its bytes are in other files, which are not opened"), []
        )
      }
      let name = TensorName(mapping.dataset)
      var found = known[name]
      if found == nil { found = try self.dataset(mapping.dataset, metadata, resolve) }
      guard let dataset = found else {
        return (
          .refused(
            "is a virtual dataset: '\(mapping.dataset)' is not a dataset of numbers in this file"),
          []
        )
      }
      known[name] = dataset
      guard HDF5Numbers.converts(dataset.info.dtype, to: info.dtype) else {
        return (
          .refused(
            "is a virtual dataset: \(dataset.info.dtype.rawValue) of '\(mapping.dataset)' is not "
              + "converted to \(info.dtype.rawValue)"), []
        )
      }
      guard
        let source = mapping.source.runs(of: dataset.info.shape),
        let target = mapping.target.runs(of: info.shape),
        source.elementCount == target.elementCount
      else {
        return (
          .refused(
            "is a virtual dataset: its selection of '\(mapping.dataset)' is not of a kind that is read"
          ), []
        )
      }
      // Else a short list of mappings could stand for any amount of reading.
      left -= target.elementCount
      guard left >= 0 else {
        return (.refused("is a virtual dataset: its mappings overlap"), [])
      }
      sources.append(HDF5Table.VirtualSource(dataset: dataset, source: source, target: target))
    }
    return (.virtual, sources)
  }

  /// The dataset at a path, unless it is itself virtual or cannot be read.
  private static func dataset(
    _ path: String, _ metadata: HDF5Metadata,
    _ resolve: (_ path: String) throws(CheckpointError) -> UInt64?
  ) throws(CheckpointError) -> HDF5Table.Dataset? {
    guard let address = try resolve(path) else { return nil }
    let header = try HDF5ObjectHeader(address, in: metadata)
    guard HDF5DatasetReader.isDataset(header),
      case .tensor(let dataset) = try HDF5DatasetReader.describe(
        header, path: { [path] }, in: metadata, resolve: { _ in nil })
    else { return nil }
    switch dataset.storage {
    case .plain, .chunks, .unwritten, .library: return dataset
    case .virtual, .refused: return nil
    }
  }
}
