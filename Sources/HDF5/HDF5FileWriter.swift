package import ByteIO
internal import CHDF5
import ParallelWork
package import TensorCore

/// A new HDF5 file, created link by link; the same calls produce the same bytes.
///
/// Every object tracks the creation order of its links and attributes and stores no timestamps. The
/// file uses the format of HDF5 1.8, which every reader since 2008 understands. Nothing is complete
/// until ``close()`` has returned.
package final class HDF5FileWriter: Sendable {
  private let file: HDF5OpenFile

  /// Begins a file in an empty sink that a library can open (``ByteSink/staging(_:)``).
  ///
  /// - Throws: ``CheckpointError`` `system`, with the library's reason.
  package init(_ sink: ByteSink) throws(CheckpointError) {
    let storage = HDF5Driver.Storage(try EditedFile(sink))
    file = try HDF5Library.locked { () throws(CheckpointError) in
      let creation = try HDF5Handle.properties(H5P_FILE_CREATE)
      try Self.keepOrder(creation.id)
      return try HDF5OpenFile("create", storage, .system) { access in
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0
          ? -1 : unsafe H5Fcreate(sink.name, H5F_ACC_TRUNC, creation.id, access)
      }
    }
  }

  private static func keepOrder(_ properties: hid_t) throws(CheckpointError) {
    let flags = UInt32(H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED)
    try checked("link order", H5Pset_link_creation_order(properties, flags))
    try checked("attribute order", H5Pset_attr_creation_order(properties, flags))
    try checked("no times", H5Pset_obj_track_times(properties, false))
  }

  /// Flushes the file and closes it.
  ///
  /// - Throws: ``CheckpointError`` `system` when a write fails, for example on a full disk.
  package func close() throws(CheckpointError) {
    try HDF5Library.locked { () throws(CheckpointError) in try file.close() }
  }

  /// Creates a group, whose parent must exist, with its attributes; `[]` is the root, which always
  /// exists.
  ///
  /// `links` are the names that it will hold, as far as they are known: they determine the size of
  /// the group's object header.
  package func makeGroup(
    _ path: [String], attributes: [HDF5Attribute], links: [String] = []
  ) throws(CheckpointError) {
    let name = "/" + path.joined(separator: "/")
    try HDF5Library.locked { () throws(CheckpointError) in
      let group: HDF5Handle
      if path.isEmpty {
        group = try HDF5Handle(
          name, unsafe H5Gopen2(file.id, name, hid_t(H5P_DEFAULT)), closedBy: H5Gclose, .system)
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
          unsafe H5Gcreate2(file.id, name, hid_t(H5P_DEFAULT), creation.id, hid_t(H5P_DEFAULT)),
          closedBy: H5Gclose, .system)
      }
      for attribute in attributes { try HDF5Attributes.write(attribute, on: group.id) }
    }
  }

  /// Gives the root one more attribute.
  package func addRootAttribute(_ attribute: HDF5Attribute) throws(CheckpointError) {
    try HDF5Library.locked { () throws(CheckpointError) in
      let root = try HDF5Handle(
        "/", unsafe H5Gopen2(file.id, "/", hid_t(H5P_DEFAULT)), closedBy: H5Gclose, .system)
      try HDF5Attributes.write(attribute, on: root.id)
    }
  }

  /// Creates a second hard link, in an existing group, to an existing dataset.
  package func makeLink(_ path: [String], to target: [String]) throws(CheckpointError) {
    let name = "/" + path.joined(separator: "/")
    try HDF5Library.locked { () throws(CheckpointError) in
      _ = try checked(
        name,
        unsafe H5Lcreate_hard(
          file.id, "/" + target.joined(separator: "/"), file.id, name, hid_t(H5P_DEFAULT),
          hid_t(H5P_DEFAULT)), .system)
    }
  }

  /// Where a new dataset's bytes go.
  package enum Location: Sendable, Hashable {
    /// The dataset has no bytes.
    case nowhere
    /// Starting at this offset in the file, row-major and little-endian. The caller writes them,
    /// bypassing the library, before ``HDF5FileWriter/close()``.
    case contiguous(offset: Int)
    /// To ``HDF5FileWriter/chunks(at:)``, given the address of the dataset's object header.
    case chunks(address: UInt64)
  }

  /// Creates a dataset in an existing group and returns where its bytes go.
  ///
  /// `deflateLevel` is 1 to 9 for chunks, each a block of ``blocks(_:)``, shuffled and deflated, and
  /// `nil` for contiguous storage, which small tensors always get.
  package func makeDataset(
    _ path: [String], _ info: TensorInfo, deflateLevel: Int?, attributes: [HDF5Attribute]
  ) throws(CheckpointError) -> Location {
    let name = "/" + path.joined(separator: "/")
    guard info.shape.count <= HDF5Space.maximumRank else {
      throw CheckpointError(
        .unsupported,
        "expected at most \(HDF5Space.maximumRank) dimensions for HDF5, found \(info.shape.count)")
    }
    return try HDF5Library.locked { () throws(CheckpointError) in
      let creation = try HDF5Handle.properties(H5P_DATASET_CREATE)
      try checked("no times", H5Pset_obj_track_times(creation.id, false))
      // Without this hint, the space reserved for attributes would double the object header.
      if attributes.isEmpty {
        try checked("no room", H5Pset_dset_no_attrs_hint(creation.id, true))
      }
      // Every byte is written anyway; filling first would write everything twice.
      try checked("no fill", H5Pset_fill_time(creation.id, H5D_FILL_TIME_NEVER))
      let isDeflated = deflateLevel != nil && Self.isDeflated(info)
      if let deflateLevel, isDeflated {
        let chunk = Self.blocks(info).blockShape.map { hsize_t($0) }
        try checked("chunks", unsafe H5Pset_chunk(creation.id, Int32(chunk.count), chunk))
        if info.dtype.byteWidth > 1 { try checked("shuffle", H5Pset_shuffle(creation.id)) }
        try checked("deflate", H5Pset_deflate(creation.id, UInt32(deflateLevel)))
      } else {
        // With its space allocated now, the dataset's offset is known and its bytes can bypass the
        // library.
        try checked("location", H5Pset_alloc_time(creation.id, H5D_ALLOC_TIME_EARLY))
      }
      let type = try HDF5Types.type(info.dtype)
      let space = try HDF5Space.simple(info.shape.sizes)
      let dataset = try HDF5Handle(
        name,
        unsafe H5Dcreate2(
          file.id, name, type.id, space.id, hid_t(H5P_DEFAULT), creation.id, hid_t(H5P_DEFAULT)),
        closedBy: H5Dclose, .system)
      for attribute in attributes { try HDF5Attributes.write(attribute, on: dataset.id) }
      return try Self.location(of: dataset.id, info, isDeflated: isDeflated)
    }
  }

  private static func location(
    of dataset: hid_t, _ info: TensorInfo, isDeflated: Bool
  ) throws(CheckpointError) -> Location {
    if info.byteCount == 0 { return .nowhere }
    if isDeflated {
      var header = H5O_info_t()
      try checked(
        "object header", unsafe H5Oget_info2(dataset, &header, UInt32(H5O_INFO_BASIC)))
      return .chunks(address: UInt64(header.addr))
    }
    guard let offset = Int(exactly: H5Dget_offset(dataset)) else {
      throw CheckpointError(.system, "HDF5 allocated no space for a dataset")
    }
    return .contiguous(offset: offset)
  }

  /// Tensors with fewer bytes than this stay contiguous: the index of a single chunk takes 2 KiB.
  private static let smallestDeflated = 8 << 10

  /// Whether a tensor is stored in deflated chunks when compression is requested: it must have at
  /// least 8 KiB and at most 32 dimensions.
  package static func isDeflated(_ info: TensorInfo) -> Bool {
    info.byteCount >= smallestDeflated && info.shape.count <= HDF5Space.maximumRank
  }

  /// Cuts a tensor into blocks of at most 1 MiB, each of which is one chunk in chunked storage.
  package static func blocks(_ info: TensorInfo) -> HDF5Blocks {
    HDF5Blocks(info, target: ChunkBuffer.standardSize)
  }

  /// Opens the chunked dataset whose object header is at `address`.
  package func chunks(at address: UInt64) throws(CheckpointError) -> Chunks {
    try HDF5Library.locked { () throws(CheckpointError) in
      let dataset = try HDF5Handle(
        "dataset", H5Oopen_by_addr(file.id, haddr_t(address)), closedBy: H5Oclose)
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

    /// Writes one block's chunk, already packed as the filters would have packed it.
    ///
    /// That is, shuffled if its elements have several bytes, then deflated. A chunk always has the
    /// bytes of a full block, even at the edge.
    package func write(
      _ block: HDF5Blocks.Block, _ stream: RawSpan
    ) throws(CheckpointError) {
      try HDF5Library.locked { () throws(CheckpointError) in
        try HDF5Dataset.writeChunk(at: block.start, stream, to: id)
      }
    }
  }
}
