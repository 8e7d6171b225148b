public import ByteIO
public import ParallelWork
public import TensorCore

/// The checkpoints of a run in one `.ckz` file, each written against those before it.
///
/// Specification: the article *The native format* of CheckpointKit's documentation.
public struct RunPack: Sendable {
  /// One checkpoint of the run.
  public struct Step: Sendable {
    /// The name of the file that was packed.
    public let name: String
    /// The name of the format that it had.
    public let format: String
    /// Number of bytes that the pack stores for it, its index included.
    public let storedByteCount: Int
  }

  private let file: NativePackFile

  /// The pack in a file; `nil` if it is none.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` for a pack without any complete index.
  public init?(_ probe: FileProbe) throws(CheckpointError) {
    guard probe.members == nil, probe.head.starts(with: NativeLayout.magic),
      let file = try NativePackFile.opened(probe)
    else { return nil }
    self.file = file
  }

  /// The steps in order.
  public var steps: [Step] {
    file.pack.steps.map { step in
      Step(
        name: step.name, format: step.format,
        storedByteCount: step.index.index.upperBound - step.start)
    }
  }

  /// Size of the file in bytes.
  public var byteCount: Int { file.file.size }

  /// Number of bytes after the last complete index, which were never finished.
  public var unfinishedByteCount: Int { file.file.size - file.end }

  /// A step, counted from 0; its tensors are not yet read.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` when an index breaks a rule.
  public func checkpoint(_ step: Int) throws(CheckpointError) -> Checkpoint {
    try file.file(number: step).checkpoint()
  }

  /// Reads every byte that belongs to a step, and returns the first error of each damaged tensor.
  public func verify(threads: Int = Threads.available) async throws -> [CheckpointError] {
    var walk = NativePackWalk(file)
    return try await walk.verify(threads: threads)
  }
}

/// A pack in the making, or one that grows; one task at a time adds to it.
public final class RunPackWriter {
  private let writer: NativePackWriter
  private let sink: ByteSink
  private let growing: GrowingFile?

  /// The number of the step that is added next.
  public var count: Int { writer.count }

  /// Begins a pack, or continues the one that a local file holds; `overwrites` says that it is begun anew.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when the file exists and is not a pack, or cannot be written.
  public init(_ path: String, overwrites: Bool = false) throws(CheckpointError) {
    let (place, name) = Place.locate(path)
    let grows = overwrites ? false : try Self.isThere(name, in: place)
    if grows {
      let growing = try GrowingFile(path)
      let probe = try FileProbe(growing.source, in: place)
      guard probe.head.starts(with: NativeLayout.magic),
        let pack = try NativePackFile.opened(probe)
      else {
        throw CheckpointError(
          .system, "exists and is not a pack; pass --force to replace it", path: path)
      }
      self.growing = growing
      sink = try growing.sink(from: pack.end)
      writer = try NativePackWriter(sink, after: pack)
      return
    }
    growing = nil
    sink = try place.create(name, replacing: overwrites)
    writer = try NativePackWriter(sink)
  }

  private static func isThere(_ name: String, in place: Place) throws(CheckpointError) -> Bool {
    do throws(CheckpointError) {
      return try place.openFile(name) != nil
    } catch {
      if error.isMissingFile { return false }
      throw error
    }
  }

  /// Adds a checkpoint; `name` and `format` are those of the file it comes from.
  ///
  /// Its tensors are read twice unless their digests are stored: to see which are there already, and to
  /// pack the others. The next step is compared with it, so its file must not change until then.
  /// - Throws: `CheckpointError` from the tensors or the system.
  public func add(
    _ checkpoint: Checkpoint, name: String, format: String = CheckpointFormat.native.name,
    options: WriteOptions = WriteOptions()
  ) async throws {
    try await writer.add(checkpoint, name: name, format: format, options: options)
  }

  /// Number of bytes that the last steps take; all of them once the pack is finished.
  public func storedByteCount(ofLast count: Int) -> Int {
    writer.pack.steps.suffix(count).map { $0.index.index.upperBound - $0.start }.saturatedSum()
  }

  /// Completes the file: until then it holds what it held before, and what was added is lost.
  public func finish() async throws {
    let footer = try await writer.finish()
    guard let growing else {
      try sink.append(footer.rawBytes)
      return try sink.commit()
    }
    // All that the footer speaks of is on the disk before it.
    let end = sink.position
    try sink.commit()
    let last = try growing.sink(from: end)
    try last.append(footer.rawBytes)
    try last.commit()
    try growing.confirm(last.position)
  }
}

@available(*, unavailable)
extension RunPackWriter: Sendable {}
