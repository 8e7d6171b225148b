import ByteIO
internal import CHDF5
import Synchronization
import TensorCore

/// A source as a file of libhdf5, which reads it through a virtual file driver and never by a path.
///
/// To be made and used inside ``HDF5Library/locked(on:_:)``.
final class HDF5SourceFile: Sendable {
  private let content: Content
  private let id: hid_t

  /// What the driver reads, and what went wrong when it did: the library can only be told that
  /// something did.
  private final class Content: Sendable {
    let source: ByteSource
    let error = Mutex<CheckpointError?>(nil)

    init(_ source: ByteSource) { self.source = source }
  }

  /// What the library holds of an open file; it fills the first field.
  @unsafe
  private struct OpenFile {
    var base = unsafe H5FD_t()
    let content: Unmanaged<Content>
    /// End of the addresses that the library uses (`eoa`).
    var end: haddr_t = 0

    init(_ content: Unmanaged<Content>) { unsafe self.content = content }
  }

  /// Opens a source in the library.
  ///
  /// - Throws: the source's own error, or ``CheckpointError`` `malformed` with the library's reason.
  init(_ source: ByteSource) throws(CheckpointError) {
    content = Content(source)
    let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
    try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
    // The caller caches decoded chunks, so the library need not.
    try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
    let driver = try checked("file driver", Self.driver)
    // The library copies the reference; `content` lives until the file is closed.
    let reference = unsafe Unmanaged.passUnretained(content)
    let status = unsafe withUnsafePointer(to: reference) { reference in
      unsafe H5Pset_driver(access.id, driver, reference)
    }
    try checked("file access", status)
    let (name, content) = (source.name, content)
    id = try Self.explained(by: content) { () throws(CheckpointError) in
      try HDF5Handle(
        "open", unsafe H5Fopen(name, H5F_ACC_RDONLY, access.id), closedBy: H5Fclose
      ).take()
    }
  }

  deinit {
    try? HDF5Library.locked(on: content.source.name) { () throws(CheckpointError) in
      _ = H5Fclose(id)
    }
  }

  /// Lets `body` read the file; an error of the source counts for more than the library's.
  func reading(_ body: (hid_t) throws(CheckpointError) -> Void) throws(CheckpointError) {
    try Self.explained(by: content) { () throws(CheckpointError) in try body(id) }
  }

  private static func explained<Result>(
    by content: Content, _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    do throws(CheckpointError) {
      return try body()
    } catch {
      throw content.error.withLock { own in
        defer { own = nil }
        return own ?? error
      }
    }
  }

  // MARK: - The driver

  /// The library's number of the driver; negative if it was refused.
  private static let driver: hid_t = {
    var driver = unsafe H5FD_class_t()
    let name: StaticString = "ckpt source"
    unsafe driver.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    unsafe driver.maxaddr = haddr_t(Int.max)
    unsafe driver.fc_degree = H5F_CLOSE_STRONG
    unsafe driver.fapl_size = MemoryLayout<Unmanaged<Content>>.size
    unsafe driver.open = { _, _, access, _ in
      guard let info = unsafe H5Pget_driver_info(access) else { return nil }
      let file = UnsafeMutablePointer<OpenFile>.allocate(capacity: 1)
      unsafe file.initialize(to: OpenFile(info.load(as: Unmanaged<Content>.self)))
      return unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: H5FD_t.self)
    }
    unsafe driver.close = { file in
      unsafe HDF5SourceFile.opened(file)?.deallocate()
      return 0
    }
    unsafe driver.get_eoa = { file, _ in
      unsafe HDF5SourceFile.opened(UnsafeMutablePointer(mutating: file))?.pointee.end ?? 0
    }
    unsafe driver.set_eoa = { file, _, end in
      unsafe HDF5SourceFile.opened(file)?.pointee.end = end
      return 0
    }
    unsafe driver.get_eof = { file, _ in
      let file = unsafe HDF5SourceFile.opened(UnsafeMutablePointer(mutating: file))
      return unsafe file.map {
        unsafe haddr_t($0.pointee.content.takeUnretainedValue().source.size)
      } ?? 0
    }
    unsafe driver.read = { file, _, _, address, count, buffer in
      guard let file = unsafe HDF5SourceFile.opened(file), let buffer = unsafe buffer else {
        return -1
      }
      let content = unsafe file.pointee.content.takeUnretainedValue()
      let target = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: count)
      return unsafe HDF5SourceFile.read(content, at: address, into: target)
    }
    unsafe driver.write = { _, _, _, _, _, _ in -1 }
    return unsafe H5FDregister(&driver)
  }()

  private static func opened(
    _ file: UnsafeMutablePointer<H5FD_t>?
  ) -> UnsafeMutablePointer<OpenFile>? {
    unsafe file.map {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: OpenFile.self)
    }
  }

  /// Reads bytes for the library, which takes zeros for what follows the end, as its own drivers do.
  private static func read(
    _ content: Content, at address: haddr_t, into target: UnsafeMutableRawBufferPointer
  ) -> herr_t {
    let source = content.source
    let start = min(Int(clamping: address), source.size)
    let count = min(target.count, source.size - start)
    var bytes = unsafe target.mutableBytes
    do throws(CheckpointError) {
      var part = bytes._mutatingExtracting(0..<count)
      try source.read(at: start, into: &part)
    } catch {
      content.error.withLock { $0 = error }
      return -1
    }
    for index in count..<target.count { unsafe target[index] = 0 }
    return 0
  }
}
