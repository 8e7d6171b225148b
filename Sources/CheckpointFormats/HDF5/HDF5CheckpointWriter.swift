import ByteIO
import HDF5
import TensorCore

/// Writing an HDF5 file: groups, attributes, and datasets.
extension HDF5Checkpoint {
  /// Writes a file; the same content gives the same bytes.
  ///
  /// libhdf5 goes back and forth in it, so for a sink that can only append it is made in a temporary
  /// file.
  ///
  /// - Throws: ``CheckpointError``: `unsupported` for what HDF5 or this layout cannot hold,
  ///   `system` when the system cannot take the bytes, and what reading the entries throws.
  static func write(
    _ checkpoint: Checkpoint, to sink: ByteSink, _ options: WriteOptions
  ) async throws {
    let layout = try HDF5Layout(checkpoint)
    try await sink.staging { try await write(checkpoint, layout, to: $0, options) }
  }

  private static func write(
    _ checkpoint: Checkpoint, _ layout: HDF5Layout, to sink: ByteSink, _ options: WriteOptions
  ) async throws {
    let file = try HDF5FileWriter(sink)
    let writer = HDF5TensorWriter(file, sink, options)
    for group in layout.groups {
      try file.makeGroup(
        group.path, attributes: group.attributes, links: layout.links(of: group))
    }
    let items = zip(checkpoint.entries, layout.datasets).map { entry, dataset in
      HDF5TensorWriter.Item(
        entry: entry, path: dataset.path,
        linkTarget: dataset.linkTarget.map { layout.datasets[$0].path },
        attributes: attributes(of: entry.info.dtype) + dataset.attributes)
    }
    let digests = try await writer.write(items)
    // A second link has its dataset's bytes.
    let fingerprint = try checkpoint.fingerprint { digests[layout.datasets[$0].linkTarget ?? $0] }
    try file.addRootAttribute(HDF5Attribute(Fingerprint.key, .text(fingerprint.description)))
    try file.close()
  }

  /// Opaque elements are named, as Keras 3 names them.
  private static func attributes(of dtype: DType) -> [HDF5Attribute] {
    HDF5Types.isOpaque(dtype) ? [HDF5Attribute("dtype", .text(dtype.torchName))] : []
  }
}
