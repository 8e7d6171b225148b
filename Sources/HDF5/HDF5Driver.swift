internal import CHDF5
import Glibc
import Synchronization
import TensorCore

/// How libhdf5 reads and writes a file of ours: a virtual file driver (H5FDpublic.h) that opens the
/// path of a descriptor, `/proc/self/fd/N`.
///
/// The library's own driver asks for the real path of what it opens, which a file without a name
/// does not have, and leaves its descriptor to child processes. Here as there, metadata are gathered
/// before they are written, so the files are the same to the byte.
enum HDF5Driver {
  /// An open file, as the library holds it: its own fields first, ours after them.
  @unsafe private struct File {
    var base = unsafe H5FD_t()
    let descriptor: Int32
    /// The end of what the library has allotted.
    var end: haddr_t = 0
  }

  private static let driver = Mutex<hid_t>(-1)
  /// The first system call that failed since the library was entered, by `errno`.
  private static let failure = Mutex<Int32?>(nil)

  /// The access properties of a file that is written through this driver; to be called inside
  /// ``HDF5Library/locked(on:_:)``.
  static func access() throws(CheckpointError) -> HDF5Handle {
    let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
    try select(for: access.id)
    try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
    // Keep neither chunks nor small writes in memory: an error in a delayed write would go
    // unreported, because it occurs when the dataset is closed.
    try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
    try checked("file access", H5Pset_sieve_buf_size(access.id, 0))
    return access
  }

  /// Has files be opened by this driver.
  private static func select(for access: hid_t) throws(CheckpointError) {
    let id = try driver.withLock { id throws(CheckpointError) in
      if id < 0 {
        var description = unsafe makeClass()
        id = try checked("file driver", unsafe H5FDregister(&description))
      }
      return id
    }
    try checked("file driver", H5Pset_driver(access, id, nil))
  }

  /// Forgets earlier failures.
  static func clearFailure() { failure.withLock { $0 = nil } }

  /// The `errno` of the system call that failed, if one did; asked once.
  static func takeFailure() -> Int32? {
    failure.withLock { failure in
      defer { failure = nil }
      return failure
    }
  }

  /// Whether bytes can lie at an offset, which in a damaged file may be any number.
  private static func isOffset(_ offset: haddr_t, _ count: Int) -> Bool {
    offset <= haddr_t(Int.max) && count >= 0 && count <= Int.max - Int(offset)
  }

  private static func fail() -> herr_t {
    let number = errno
    failure.withLock { if $0 == nil { $0 = number } }
    return -1
  }

  /// Retries a call that a signal interrupts.
  private static func retrying(_ call: () -> Int) -> Int {
    while true {
      let answer = call()
      if answer != -1 || errno != EINTR { return answer }
    }
  }

  private static func makeClass() -> H5FD_class_t {
    var driver = unsafe H5FD_class_t()
    unsafe driver.name = UnsafePointer(strdup("ckpt"))  // the library keeps the pointer
    unsafe driver.maxaddr = haddr_t(Int.max)
    unsafe driver.fc_degree = H5F_CLOSE_WEAK
    // Two kinds of space, metadata and data, by H5FD_mem_t: default, superblock, B-tree, raw data,
    // global heap, local heap, object header.
    let (metadata, data) = (H5FD_MEM_SUPER, H5FD_MEM_DRAW)  // H5FD_FLMAP_DICHOTOMY
    unsafe driver.fl_map = (metadata, metadata, metadata, data, data, metadata, metadata)
    unsafe driver.open = { path, flags, _, _ in
      guard let path = unsafe path else { return nil }
      // H5F_ACC_RDWR is 1 and H5F_ACC_TRUNC 2; the macros would enter the library again.
      let mode = (flags & 1 != 0 ? O_RDWR : O_RDONLY) | (flags & 2 != 0 ? O_TRUNC : 0)
      let descriptor = unsafe Glibc.open(path, mode | O_CLOEXEC)
      if descriptor == -1 {
        _ = HDF5Driver.fail()
        return nil
      }
      let file = UnsafeMutablePointer<File>.allocate(capacity: 1)
      unsafe file.initialize(to: File(descriptor: descriptor))
      return unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: H5FD_t.self)
    }
    unsafe driver.close = { file in
      guard let file = unsafe HDF5Driver.file(file) else { return -1 }
      let answer = Glibc.close(unsafe file.pointee.descriptor)
      unsafe file.deallocate()
      return answer == -1 ? HDF5Driver.fail() : 0
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
      guard let file = unsafe HDF5Driver.file(UnsafeMutablePointer(mutating: file)) else {
        return haddr_t.max
      }
      var status = stat()
      if unsafe fstat(file.pointee.descriptor, &status) == -1 {
        _ = HDF5Driver.fail()
        return haddr_t.max
      }
      return haddr_t(status.st_size)
    }
    unsafe driver.read = { file, _, _, offset, count, target in
      guard let file = unsafe HDF5Driver.file(file), let target = unsafe target,
        HDF5Driver.isOffset(offset, count)
      else { return -1 }
      var done = 0
      while done < count {
        let answer = HDF5Driver.retrying {
          unsafe pread(file.pointee.descriptor, target + done, count - done, Int(offset) + done)
        }
        if answer == -1 { return HDF5Driver.fail() }
        if answer == 0 {
          // Past the end of the file there are zeros, as in the library's own driver.
          unsafe memset(target + done, 0, count - done)
          break
        }
        done += answer
      }
      return 0
    }
    unsafe driver.write = { file, _, _, offset, count, source in
      guard let file = unsafe HDF5Driver.file(file), let source = unsafe source,
        HDF5Driver.isOffset(offset, count)
      else { return -1 }
      var done = 0
      while done < count {
        let answer = HDF5Driver.retrying {
          unsafe pwrite(file.pointee.descriptor, source + done, count - done, Int(offset) + done)
        }
        if answer == -1 { return HDF5Driver.fail() }
        done += answer
      }
      return 0
    }
    unsafe driver.truncate = { file, _, _ in
      guard let file = unsafe HDF5Driver.file(file),
        unsafe HDF5Driver.isOffset(file.pointee.end, 0)
      else { return -1 }
      let answer = unsafe ftruncate(file.pointee.descriptor, Int(file.pointee.end))
      return answer == -1 ? HDF5Driver.fail() : 0
    }
    return unsafe driver
  }

  private static func file(_ file: UnsafeMutablePointer<H5FD_t>?) -> UnsafeMutablePointer<File>? {
    unsafe file.map { unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: File.self) }
  }
}
