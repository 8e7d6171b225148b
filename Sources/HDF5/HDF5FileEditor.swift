package import ByteIO
internal import CHDF5
import Synchronization
package import TensorCore

/// An existing HDF5 file whose datasets get new elements and whose root gets new attributes.
///
/// Layouts, chunk shapes, filters, fill values, and all other objects stay. Meant for a copy that has
/// no name yet: until ``close(restoringTimesOf:)`` has returned, the file may be damaged.
package final class HDF5FileEditor: Sendable {
  private let file: HDF5OpenFile
  private let sink: ByteSink
  /// What errors call the file of which this is a copy.
  private let name: String
  /// Addresses of the datasets written so far.
  private let written = Mutex<Set<UInt64>>([])

  /// Opens the file in a sink that a library can open (``ByteSink/staging(_:)``), a copy of the file
  /// with this name.
  ///
  /// - Throws: ``CheckpointError`` with the library's reason.
  package init(_ sink: ByteSink, copyOf name: String) throws(CheckpointError) {
    (self.sink, self.name) = (sink, name)
    let storage = HDF5Driver.Storage(try EditedFile(sink))
    file = try HDF5Library.locked(on: name) { () throws(CheckpointError) in
      try HDF5OpenFile("open", storage, name: name) {
        unsafe H5Fopen(sink.name, H5F_ACC_RDWR, $0)
      }
    }
  }

  /// Writes one block of a dataset, whose elements are as they are stored, unless the library converts
  /// them (``HDF5Table/Dataset/isConverted``).
  ///
  /// - Throws: ``CheckpointError``: `system` when a write fails, else with the library's reason.
  package func write(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset, _ bytes: RawSpan
  ) throws(CheckpointError) {
    written.withLock { _ = $0.insert(dataset.address) }
    try HDF5Library.locked(on: name) { () throws(CheckpointError) in
      let open = try HDF5Dataset(
        at: dataset.address, in: file.id, dataset.info, isRaw: !dataset.isConverted)
      try open.write(block, bytes)
    }
  }

  /// Writes one block of a dataset that is also one chunk, packed as the dataset's filters would have
  /// packed it.
  ///
  /// - Throws: as ``write(_:of:_:)``.
  package func writeChunk(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset, _ stream: RawSpan
  ) throws(CheckpointError) {
    written.withLock { _ = $0.insert(dataset.address) }
    try HDF5Library.locked(on: name) { () throws(CheckpointError) in
      let object = try HDF5Handle(
        "dataset", H5Oopen_by_addr(file.id, haddr_t(dataset.address)), closedBy: H5Oclose)
      try HDF5Dataset.writeChunk(at: block.start, stream, to: object.id)
    }
  }

  /// Gives the root attributes, in place of those of the same names.
  package func setRootAttributes(_ attributes: [HDF5Attribute]) throws(CheckpointError) {
    if attributes.isEmpty { return }
    try HDF5Library.locked(on: name) { () throws(CheckpointError) in
      let root = try HDF5Handle(
        "root group", unsafe H5Gopen2(file.id, "/", hid_t(H5P_DEFAULT)), closedBy: H5Gclose)
      for attribute in attributes {
        let what = "attribute '\(attribute.name)'"
        if try checked(what, unsafe H5Aexists(root.id, attribute.name)) > 0 {
          try checked(what, unsafe H5Adelete(root.id, attribute.name))
        }
        try HDF5Attributes.write(attribute, on: root.id)
      }
    }
  }

  /// Completes the file; objects that were changed keep the times of the original, so that the same
  /// changes always give the same bytes.
  ///
  /// - Throws: ``CheckpointError`` `system` when a write fails, for example on a full disk.
  package func close(restoringTimesOf original: HDF5File) throws(CheckpointError) {
    try HDF5Library.locked(on: name) { () throws(CheckpointError) in try file.close() }
    let changed = written.withLock { $0.union([original.superblock.root]) }
    try HDF5ObjectTimes.restore(changed.sorted(), of: original, in: sink)
  }
}

extension HDF5Library {
  /// The newest version of the data layout message that the library can write.
  package static var newestLayout: Int { version.hasPrefix("1.") ? 4 : 5 }

  /// Whether the library can pack chunks with the filter with this registry number so that they give
  /// the same values back.
  package static func encodes(filter number: Int) -> Bool {
    // Scale-offset rounds floating-point numbers.
    if number == HDF5Table.Filter.scaleOffset { return false }
    return
      (try? locked { () throws(CheckpointError) in
        var flags: UInt32 = 0
        guard H5Zfilter_avail(Int32(number)) > 0 else { return false }
        _ = unsafe H5Zget_filter_info(Int32(number), &flags)
        return flags & UInt32(H5Z_FILTER_CONFIG_ENCODE_ENABLED) != 0
      }) == true
  }
}
