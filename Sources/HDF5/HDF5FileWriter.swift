internal import CHDF5
import Synchronization
package import TensorCore

/// A new HDF5 file, made link by link; the same calls give the same bytes.
///
/// Every object keeps the order in which its links and attributes were made and no times. The file
/// is in the form that HDF5 1.8 introduced, which every reader since 2008 knows. Nothing is
/// complete until ``close()`` has returned.
package final class HDF5FileWriter: Sendable {
  private let id: hid_t
  private let isOpen = Atomic(true)

  /// Creates or truncates the file.
  ///
  /// - Throws: ``CheckpointError`` `system`, with the library's reason.
  package init(path: String) throws(CheckpointError) {
    id = try HDF5Library.locked { () throws(CheckpointError) in
      let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
      try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
      // The library's descriptor is inherited by any process started meanwhile, and a lock with it,
      // which would outlive close(). The path is ours alone, so none is needed.
      try checked("file access", H5Pset_file_locking(access.id, false, true))
      try checked(
        "file access", H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V18))
      // Neither chunks nor small writes wait in memory: what then failed would fail unheard, when
      // the dataset is closed.
      try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
      try checked("file access", H5Pset_sieve_buf_size(access.id, 0))
      let creation = try HDF5Handle.properties(H5P_FILE_CREATE)
      try Self.keepOrder(creation.id)
      let file = try HDF5Handle(
        "create", unsafe H5Fcreate(path, H5F_ACC_TRUNC, creation.id, access.id),
        closedBy: H5Fclose, .system)
      return file.take()
    }
  }

  deinit {
    guard isOpen.load(ordering: .relaxed) else { return }
    try? HDF5Library.locked { () throws(CheckpointError) in _ = H5Fclose(id) }
  }

  private static func keepOrder(_ properties: hid_t) throws(CheckpointError) {
    let flags = UInt32(H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED)
    try checked("link order", H5Pset_link_creation_order(properties, flags))
    try checked("attribute order", H5Pset_attr_creation_order(properties, flags))
    try checked("no times", H5Pset_obj_track_times(properties, false))
  }

  /// Writes everything that is still in memory and closes the file.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system could not take it, as on a full disk.
  package func close() throws(CheckpointError) {
    try HDF5Library.locked { () throws(CheckpointError) in
      try checked("write", H5Fflush(id, H5F_SCOPE_GLOBAL), .system)
      isOpen.store(false, ordering: .relaxed)
      _ = try checked("close", H5Fclose(id), .system)
    }
  }

  /// Makes a group, whose parent must be there, and its attributes; `[]` is the root, which is.
  ///
  /// `links` are the names that it will hold, as far as they are known: its header is then made to
  /// their measure.
  package func makeGroup(
    _ path: [String], attributes: [HDF5Attribute], links: [String] = []
  ) throws(CheckpointError) {
    let name = "/" + path.joined(separator: "/")
    try HDF5Library.locked { () throws(CheckpointError) in
      let group: HDF5Handle
      if path.isEmpty {
        group = try HDF5Handle(
          name, unsafe H5Gopen2(id, name, hid_t(H5P_DEFAULT)), closedBy: H5Gclose, .system)
      } else {
        let creation = try HDF5Handle.properties(H5P_GROUP_CREATE)
        try Self.keepOrder(creation.id)
        if !links.isEmpty {
          let length = links.reduce(0) { $0 + $1.utf8.count }
          try checked(
            "group size",
            H5Pset_est_link_info(
              creation.id, UInt32(min(links.count, 65_535)),
              UInt32(min((length + links.count - 1) / links.count, 65_535))))
        }
        group = try HDF5Handle(
          name,
          unsafe H5Gcreate2(id, name, hid_t(H5P_DEFAULT), creation.id, hid_t(H5P_DEFAULT)),
          closedBy: H5Gclose, .system)
      }
      for attribute in attributes { try HDF5Attributes.write(attribute, on: group.id) }
    }
  }

  /// Makes a second link, in a group that must be there, to a dataset that is there.
  package func makeLink(_ path: [String], to target: [String]) throws(CheckpointError) {
    let name = "/" + path.joined(separator: "/")
    try HDF5Library.locked { () throws(CheckpointError) in
      _ = try checked(
        name,
        unsafe H5Lcreate_hard(
          id, "/" + target.joined(separator: "/"), id, name, hid_t(H5P_DEFAULT),
          hid_t(H5P_DEFAULT)), .system)
    }
  }

  /// Where a new dataset's bytes go.
  package enum Place: Sendable, Hashable {
    /// There are none.
    case nowhere
    /// To this byte of the file and those behind it, row-major and little-endian; they are the
    /// caller's to write, past the library and before ``HDF5FileWriter/close()``.
    case contiguous(offset: Int)
    /// To ``HDF5FileWriter/chunks(at:)``, for the dataset whose header is there.
    case chunks(address: UInt64)
  }

  /// Makes a dataset in a group that must be there, and answers where its bytes go.
  ///
  /// `deflateLevel` is 1 to 9 for chunks, each a block of ``blocks(_:)``, shuffled and deflated, and
  /// `nil` for contiguous storage, which small tensors always have.
  package func makeDataset(
    _ path: [String], _ info: TensorInfo, deflateLevel: Int?, attributes: [HDF5Attribute]
  ) throws(CheckpointError) -> Place {
    let name = "/" + path.joined(separator: "/")
    guard info.shape.count <= HDF5Space.maximumRank else {
      throw CheckpointError(
        .unsupported, "\(info.shape.count) dimensions; HDF5 holds \(HDF5Space.maximumRank)")
    }
    return try HDF5Library.locked { () throws(CheckpointError) in
      let creation = try HDF5Handle.properties(H5P_DATASET_CREATE)
      try checked("no times", H5Pset_obj_track_times(creation.id, false))
      // Without this, room for attributes is left that takes as much as all the rest.
      if attributes.isEmpty {
        try checked("no room", H5Pset_dset_no_attrs_hint(creation.id, true))
      }
      // Every byte is written, so that to fill first would only write twice.
      try checked("no fill", H5Pset_fill_time(creation.id, H5D_FILL_TIME_NEVER))
      let isDeflated = deflateLevel != nil && Self.isDeflated(info)
      if let deflateLevel, isDeflated {
        let chunk = Self.blocks(info).blockShape.map { hsize_t($0) }
        try checked("chunks", unsafe H5Pset_chunk(creation.id, Int32(chunk.count), chunk))
        if info.dtype.byteWidth > 1 { try checked("shuffle", H5Pset_shuffle(creation.id)) }
        try checked("deflate", H5Pset_deflate(creation.id, UInt32(deflateLevel)))
      } else {
        try checked("place", H5Pset_alloc_time(creation.id, H5D_ALLOC_TIME_EARLY))
      }
      let type = try HDF5Types.type(info.dtype)
      let space = try HDF5Space.simple(info.shape)
      let dataset = try HDF5Handle(
        name,
        unsafe H5Dcreate2(
          id, name, type.id, space.id, hid_t(H5P_DEFAULT), creation.id, hid_t(H5P_DEFAULT)),
        closedBy: H5Dclose, .system)
      for attribute in attributes { try HDF5Attributes.write(attribute, on: dataset.id) }
      return try Self.place(of: dataset.id, info, isDeflated: isDeflated)
    }
  }

  private static func place(
    of dataset: hid_t, _ info: TensorInfo, isDeflated: Bool
  ) throws(CheckpointError) -> Place {
    if info.byteCount == 0 { return .nowhere }
    if isDeflated {
      var header = H5O_info_t()
      try checked(
        "object header", unsafe H5Oget_info2(dataset, &header, UInt32(H5O_INFO_BASIC)))
      return .chunks(address: UInt64(header.addr))
    }
    guard let offset = Int(exactly: H5Dget_offset(dataset)) else {
      throw CheckpointError(.system, "HDF5: no place was given to a dataset")
    }
    return .contiguous(offset: offset)
  }

  /// Tensors of fewer bytes stay contiguous: the index of a single chunk takes 2 KiB.
  private static let smallestDeflated = 8 << 10

  /// Whether a tensor is large enough to be kept in chunks where that is asked for.
  package static func isDeflated(_ info: TensorInfo) -> Bool {
    info.byteCount >= smallestDeflated && info.shape.count <= HDF5Space.maximumRank
  }

  /// How a tensor is cut: a block is at most 1 MiB, and a chunk where there are chunks.
  package static func blocks(_ info: TensorInfo) -> HDF5Blocks {
    HDF5Blocks(info, target: ChunkBuffer.standardSize)
  }

  /// Opens a dataset that was made with chunks.
  package func chunks(at address: UInt64) throws(CheckpointError) -> Chunks {
    try HDF5Library.locked { () throws(CheckpointError) in
      let dataset = try HDF5Handle(
        "dataset", H5Oopen_by_addr(id, haddr_t(address)), closedBy: H5Oclose)
      return Chunks(id: dataset.take())
    }
  }

  /// The chunks of a dataset of the new file.
  package final class Chunks: Sendable {
    private let id: hid_t

    fileprivate init(id: hid_t) { self.id = id }

    deinit {
      try? HDF5Library.locked { () throws(CheckpointError) in _ = H5Oclose(id) }
    }

    /// Writes one block's chunk as the filters would have made it.
    ///
    /// That is, shuffled if its elements have several bytes, then deflated. A chunk has a whole
    /// block's bytes, at the edge, too.
    package func write(
      _ block: HDF5Blocks.Block, _ stream: RawSpan
    ) throws(CheckpointError) {
      try unsafe stream.withUnsafeBytes { stream throws(CheckpointError) in
        try HDF5Library.locked { () throws(CheckpointError) in
          let place = block.start.map { hsize_t($0) }
          try checked(
            "write",
            unsafe H5Dwrite_chunk(
              id, hid_t(H5P_DEFAULT), 0, place, stream.count, stream.baseAddress), .system)
        }
      }
    }
  }
}
