import ByteIO
internal import CHDF5
import Glibc
import Synchronization
import TensorCore

/// How libhdf5 reads and writes: a virtual file driver (H5FDpublic.h) that leads every call to a
/// ``Storage`` of ours.
///
/// The library's own driver asks for the real path of what it opens, which neither a source nor a
/// file without a name has, and leaves its descriptor to child processes. Here as there, metadata are
/// gathered before they are written, so the files are the same to the byte.
enum HDF5Driver {
  /// What stands for a file.
  final class Storage: Sendable {
    fileprivate let size: @Sendable () throws(CheckpointError) -> Int
    fileprivate let read: ByteSource.Reader
    /// What is written to; `nil` if it is only read.
    fileprivate let file: EditedFile?

    /// A source, which is only read.
    init(_ source: ByteSource) {
      size = { () throws(CheckpointError) in source.size }
      read = { offset, target throws(CheckpointError) in
        try source.read(at: offset, into: &target)
      }
      file = nil
    }

    /// A local file in the making.
    init(_ file: EditedFile) {
      size = { () throws(CheckpointError) in try file.size() }
      read = { offset, target throws(CheckpointError) in try file.read(at: offset, into: &target) }
      self.file = file
    }
  }

  /// An open file, as the library holds it: its own fields first, ours after them.
  @unsafe private struct OpenFile {
    var base = unsafe H5FD_t()
    let storage: Storage
    /// The end of what the library has allotted.
    var end: haddr_t = 0
  }

  private static let driver = Mutex<hid_t>(-1)
  /// The first error of a storage since the library was entered: the library can only be told that
  /// there was one.
  private static let failure = Mutex<CheckpointError?>(nil)

  /// The access properties with which the library opens a storage, which they do not keep alive.
  ///
  /// To be called inside ``HDF5Library/locked(on:_:)``.
  static func access(to storage: Storage) throws(CheckpointError) -> HDF5Handle {
    let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
    let id = try driver.withLock { id throws(CheckpointError) in
      if id < 0 {
        var description = unsafe makeClass()
        id = try checked("file driver", unsafe H5FDregister(&description))
      }
      return id
    }
    // The library copies the reference.
    let reference = unsafe Unmanaged.passUnretained(storage)
    let status = unsafe withUnsafePointer(to: reference) { reference in
      unsafe H5Pset_driver(access.id, id, reference)
    }
    try checked("file driver", status)
    try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
    // Keep neither chunks nor small writes in memory: callers cache what they decode, and an error in
    // a delayed write would go unreported, because it occurs when the dataset is closed.
    try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
    try checked("file access", H5Pset_sieve_buf_size(access.id, 0))
    return access
  }

  /// Forgets earlier failures.
  static func clearFailure() { failure.withLock { $0 = nil } }

  /// The error of the storage that the library ran into, if it did; asked once.
  static func takeFailure() -> CheckpointError? {
    failure.withLock { failure in
      defer { failure = nil }
      return failure
    }
  }

  // MARK: - The driver's functions

  private static func makeClass() -> H5FD_class_t {
    var driver = unsafe H5FD_class_t()
    unsafe driver.name = UnsafePointer(strdup("ckpt"))  // the library keeps the pointer
    unsafe driver.maxaddr = haddr_t(Int.max)
    unsafe driver.fc_degree = H5F_CLOSE_WEAK
    unsafe driver.fapl_size = MemoryLayout<Unmanaged<Storage>>.size
    // Two kinds of space, metadata and data, by H5FD_mem_t: default, superblock, B-tree, raw data,
    // global heap, local heap, object header.
    let (metadata, data) = (H5FD_MEM_SUPER, H5FD_MEM_DRAW)  // H5FD_FLMAP_DICHOTOMY
    unsafe driver.fl_map = (metadata, metadata, metadata, data, data, metadata, metadata)
    unsafe driver.open = { _, _, access, _ in
      guard let reference = unsafe H5Pget_driver_info(access) else { return nil }
      let storage = unsafe reference.load(as: Unmanaged<Storage>.self).takeUnretainedValue()
      let file = UnsafeMutablePointer<OpenFile>.allocate(capacity: 1)
      unsafe file.initialize(to: OpenFile(storage: storage))
      return unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: H5FD_t.self)
    }
    unsafe driver.close = { file in
      guard let file = unsafe HDF5Driver.file(file) else { return -1 }
      unsafe file.deinitialize(count: 1)
      unsafe file.deallocate()
      return 0
    }
    unsafe driver.query = { _, flags in
      unsafe flags?.pointee = UInt(
        H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA_WRITE
          | H5FD_FEAT_ACCUMULATE_METADATA_READ | H5FD_FEAT_DATA_SIEVE
          | H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE)
      return 0
    }
    unsafe driver.get_eoa = { file, _ in
      unsafe HDF5Driver.file(UnsafeMutablePointer(mutating: file))?.pointee.end ?? haddr_t.max
    }
    unsafe driver.set_eoa = { file, _, end in
      unsafe HDF5Driver.file(file)?.pointee.end = end
      return 0
    }
    unsafe driver.get_eof = { file, _ in
      var size = haddr_t.max
      _ = unsafe HDF5Driver.answer(UnsafeMutablePointer(mutating: file)) {
        file throws(CheckpointError) in size = haddr_t(try unsafe file.storage.size())
      }
      return size
    }
    unsafe driver.read = { file, _, _, offset, count, target in
      guard let target = unsafe target, HDF5Driver.isOffset(offset, count) else { return -1 }
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: target, count: count)
      return unsafe HDF5Driver.answer(file) { file throws(CheckpointError) in
        // After the end there are zeros, as in the library's own driver.
        let size = try unsafe file.storage.size()
        let rest = min(count, max(size - Int(offset), 0))
        var span = unsafe bytes.mutableBytes
        var part = span._mutatingExtracting(0..<rest)
        if rest > 0 { try unsafe file.storage.read(Int(offset), &part) }
        for index in rest..<count { unsafe bytes[index] = 0 }
      }
    }
    unsafe driver.write = { file, _, _, offset, count, source in
      guard let source = unsafe source, HDF5Driver.isOffset(offset, count) else { return -1 }
      let bytes = unsafe UnsafeRawBufferPointer(start: source, count: count)
      return unsafe HDF5Driver.answer(file) { file throws(CheckpointError) in
        try unsafe file.storage.file?.write(bytes.bytes, at: Int(offset))
      }
    }
    unsafe driver.truncate = { file, _, _ in
      unsafe HDF5Driver.answer(file) { file throws(CheckpointError) in
        guard let size = unsafe Int(exactly: file.end) else { return }
        try unsafe file.storage.file?.truncate(to: size)
      }
    }
    return unsafe driver
  }

  /// Whether bytes can lie at an offset, which in a damaged file may be any number.
  private static func isOffset(_ offset: haddr_t, _ count: Int) -> Bool {
    offset <= haddr_t(Int.max) && count >= 0 && count <= Int.max - Int(offset)
  }

  /// Does what the library asks for, and answers -1, its sign of failure, if that throws.
  private static func answer(
    _ file: UnsafeMutablePointer<H5FD_t>?, _ body: (OpenFile) throws(CheckpointError) -> Void
  ) -> herr_t {
    guard let file = unsafe self.file(file) else { return -1 }
    do throws(CheckpointError) {
      try unsafe body(file.pointee)
      return 0
    } catch {
      failure.withLock { if $0 == nil { $0 = error } }
      return -1
    }
  }

  private static func file(
    _ file: UnsafeMutablePointer<H5FD_t>?
  ) -> UnsafeMutablePointer<OpenFile>? {
    unsafe file.map { unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: OpenFile.self) }
  }
}
