internal import CHDF5
import TensorCore

/// Reads a box of a dataset's elements through libhdf5.
enum HDF5Dataset {
  /// Reads one block of the dataset whose object header is at `address` into `target`, whose size
  /// is exactly that of the block.
  ///
  /// - Throws: ``CheckpointError`` `malformed` with the library's reason, or when shape or element
  ///   size no longer match `info`.
  static func read(
    _ block: HDF5Blocks.Block, of address: UInt64, in file: hid_t, info: TensorInfo,
    into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    let object = try HDF5Handle(
      "dataset", H5Oopen_by_addr(file, haddr_t(address)), closedBy: H5Oclose)
    let type = try HDF5Handle("dataset type", H5Dget_type(object.id), closedBy: H5Tclose)
    let space = try HDF5Handle("dataset shape", H5Dget_space(object.id), closedBy: H5Sclose)
    // libhdf5 converts opaque types and enums only to themselves, and equal types need no conversion.
    let isKept = [H5T_OPAQUE, H5T_ENUM].contains(H5Tget_class(type.id))
    let memoryType = try isKept ? HDF5Types.copy(type.id) : HDF5Types.type(info.dtype)
    guard try HDF5Space.shape(space.id) == info.shape.sizes,
      H5Tget_size(memoryType.id) == info.dtype.byteWidth
    else { throw CheckpointError(.malformed, "the file has changed since it was opened") }
    precondition(target.count == block.bytes.count, "the buffer's size differs from the block's")
    try HDF5Space.select(block, in: space.id)
    let memory = try HDF5Space.simple(block.count)
    try checked(
      "read",
      unsafe H5Dread(
        object.id, memoryType.id, memory.id, space.id, hid_t(H5P_DEFAULT), target.baseAddress))
  }
}
