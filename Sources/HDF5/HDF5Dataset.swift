internal import CHDF5
import TensorCore

/// A dataset that is open in libhdf5; to be made, used, and ended inside
/// ``HDF5Library/locked(on:_:)``.
struct HDF5Dataset: ~Copyable {
  private let object: HDF5Handle
  /// The type of elements in memory.
  private let type: HDF5Handle
  private let space: HDF5Handle

  /// Opens the dataset whose object header is at `address`.
  ///
  /// Elements in memory are little-endian, or as they are in the file if `isRaw`.
  /// - Throws: ``CheckpointError`` `malformed` with the library's reason, or when shape or element
  ///   size no longer match `info`.
  init(
    at address: UInt64, in file: hid_t, _ info: TensorInfo, isRaw: Bool = false
  ) throws(CheckpointError) {
    let object = try HDF5Handle(
      "dataset", H5Oopen_by_addr(file, haddr_t(address)), closedBy: H5Oclose)
    let stored = try HDF5Handle("dataset type", H5Dget_type(object.id), closedBy: H5Tclose)
    let space = try HDF5Handle("dataset shape", H5Dget_space(object.id), closedBy: H5Sclose)
    // libhdf5 converts opaque types and enums only to themselves, and equal types need no conversion.
    let isKept = isRaw || [H5T_OPAQUE, H5T_ENUM].contains(H5Tget_class(stored.id))
    let type = try isKept ? HDF5Types.copy(stored.id) : HDF5Types.type(info.dtype)
    guard try HDF5Space.shape(space.id) == info.shape.sizes,
      H5Tget_size(type.id) == info.dtype.byteWidth
    else { throw CheckpointError(.malformed, "the file has changed since it was opened") }
    self.object = object
    self.type = type
    self.space = space
  }

  /// Reads one block into `target`, whose size is exactly that of the block.
  ///
  /// - Throws: ``CheckpointError`` `malformed` with the library's reason.
  func read(
    _ block: HDF5Blocks.Block, into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    precondition(target.count == block.bytes.count, "the buffer's size differs from the block's")
    try HDF5Space.select(block, in: space.id)
    let memory = try HDF5Space.simple(block.count)
    try checked(
      "read",
      unsafe H5Dread(
        object.id, type.id, memory.id, space.id, hid_t(H5P_DEFAULT), target.baseAddress))
  }

  /// Writes a packed chunk to an open dataset; `start` are the indices of its first element.
  ///
  /// - Throws: ``CheckpointError`` `system` with the library's reason.
  static func writeChunk(
    at start: [Int], _ stream: RawSpan, to dataset: hid_t
  ) throws(CheckpointError) {
    let start = start.map { hsize_t($0) }
    _ = try unsafe stream.withUnsafeBytes { stream throws(CheckpointError) in
      try checked(
        "write",
        // Filter mask 0: no filter of the pipeline was skipped.
        unsafe H5Dwrite_chunk(
          dataset, hid_t(H5P_DEFAULT), 0, start, stream.count, stream.baseAddress), .system)
    }
  }

  /// Writes one block.
  ///
  /// - Throws: ``CheckpointError`` with the library's reason: `system` when the system refuses, else
  ///   `unsupported`, for example for an integer that has more bits than the stored type.
  func write(_ block: HDF5Blocks.Block, _ bytes: RawSpan) throws(CheckpointError) {
    precondition(bytes.byteCount == block.bytes.count, "as many bytes as the block has")
    try HDF5Space.select(block, in: space.id)
    let memory = try HDF5Space.simple(block.count)
    let transfer = try HDF5Handle.properties(H5P_DATASET_XFER)
    // Values out of range would be clipped.
    try checked(
      "conversion",
      unsafe H5Pset_type_conv_cb(transfer.id, { _, _, _, _, _, _ in H5T_CONV_ABORT }, nil))
    _ = try unsafe bytes.withUnsafeBytes { bytes throws(CheckpointError) in
      try checked(
        "write",
        unsafe H5Dwrite(
          object.id, type.id, memory.id, space.id, transfer.id, bytes.baseAddress), .unsupported)
    }
  }
}
