import ByteIO
import ParallelWork
import TensorCore

/// An open file of the native format: its index, checked, and its chunks, checked as they are read.
final class NativeFile: Sendable {
  let file: ByteSource
  let index: NativeIndex
  /// The chunks that were decoded last for a range smaller than they are, so that reading in small
  /// steps decodes each chunk once; few, so that memory does not grow with the number of tensors.
  private let recent = BlockCache(capacity: 4 * NativeLayout.chunkSize)

  /// Opens a file and checks header, footer and index.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed`, or `unsupported` when another version
  ///   wrote it.
  init(_ file: ByteSource) throws(CheckpointError) {
    self.file = file
    do throws(CheckpointError) {
      index = try Self.index(of: file)
    } catch {
      throw error.adding(path: file.name)
    }
  }

  /// The file that is being recognized, opened once for reading and verifying.
  static func opened(_ probe: FileProbe) throws(CheckpointError) -> NativeFile {
    try probe.finding { probe throws(CheckpointError) in try NativeFile(try probe.source) }
  }

  /// The tensors of the file; each entry keeps the file open.
  func checkpoint() throws(CheckpointError) -> Checkpoint {
    let originals = Set(
      index.tensors.compactMap { tensor in
        if case .alias(let original) = tensor.content { original } else { nil }
      })
    var stored: [TensorName: NativeIndex.Stored] = [:]
    var entries: [Checkpoint.Entry] = []
    entries.reserveCapacity(index.tensors.count)
    for tensor in index.tensors {
      switch tensor.content {
      case .stored(let content):
        if !originals.isEmpty, originals.contains(tensor.name) { stored[tensor.name] = content }
        entries.append(entry(tensor.name, content, alias: nil))
      case .alias(let original):
        if let content = stored[original] {
          entries.append(entry(tensor.name, content, alias: original))
        }
      }
    }
    return Checkpoint(
      entries: entries, modules: index.modules, values: index.values,
      metadata: index.metadata)
  }

  private func entry(
    _ name: TensorName, _ stored: NativeIndex.Stored, alias: TensorName?
  ) -> Checkpoint.Entry {
    var entry = Checkpoint.Entry(
      name: name, info: stored.info, alias: alias, storedDigest: stored.digest
    ) { range, target in
      try self.read(stored, range, into: &target)
    }
    entry.preferredReadSize = 2 * NativeLayout.chunkSize
    entry.chainingValues = stored.chainingValues
    return entry
  }

  private func read(
    _ stored: NativeIndex.Stored, _ range: Range<Int>, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    var position = range.lowerBound
    while position < range.upperBound {
      let index = position / NativeLayout.chunkSize
      let chunk = NativeLayout.chunkRange(index, of: stored.info.byteCount)
      // A whole chunk is decoded straight into the target; a part of one goes through the cache,
      // where the next small read finds the rest.
      var wanted = position..<min(range.upperBound, chunk.upperBound)
      let offset = wanted.lowerBound - range.lowerBound
      if wanted != chunk {
        let start = wanted.lowerBound - chunk.lowerBound
        var part = target._mutatingExtracting(offset..<offset + wanted.count)
        try recent.copy(
          start..<start + wanted.count, of: BlockCache.Key(offset: stored.chunks[index].offset),
          size: chunk.count, into: &part
        ) { target throws(CheckpointError) in
          try decode(index..<index + 1, of: stored, into: &target)
        }
      } else {
        // Two whole chunks are decoded at once.
        let end = min(chunk.upperBound + NativeLayout.chunkSize, stored.info.byteCount)
        let isPair = chunk.upperBound < end && end <= range.upperBound
        if isPair { wanted = position..<end }
        var part = target._mutatingExtracting(offset..<offset + wanted.count)
        try decode(index..<index + (isPair ? 2 : 1), of: stored, into: &part)
      }
      position = wanted.upperBound
    }
  }

  // MARK: - Verification

  /// Reads every byte and returns the first error of each damaged tensor.
  func verify(threads: Int) async throws -> [CheckpointError] {
    var contents: [NativeIndex.Stored] = []
    var entries: [Checkpoint.Entry] = []
    for tensor in index.tensors {
      guard case .stored(let stored) = tensor.content else { continue }
      contents.append(stored)
      entries.append(entry(tensor.name, stored, alias: nil))
    }
    // Each chunk is compared with its chaining value when it is read, and these with the digest when
    // the file is opened.
    let errors = try await Checkpoint.readErrors(of: entries, threads: threads)
    let records = index.records.compactMap { record -> CheckpointError? in
      do throws(CheckpointError) {
        try check(record)
        return nil
      } catch {
        return error
      }
    }
    return records
      + entries.indices.compactMap { index in
        let damage = paddingError(before: contents[index]) ?? errors[index]
        return damage?.adding(path: file.name, tensor: entries[index].name.text)
      }
  }

  private func check(_ record: NativeIndex.Record) throws(CheckpointError) {
    var sum: UInt32 = 0
    let end = record.offset + record.length
    for start in stride(from: record.offset, to: end, by: NativeLayout.chunkSize) {
      let bytes = try file.bytes(start..<min(start + NativeLayout.chunkSize, end))
      sum = Checksum.crc32(bytes.rawBytes, after: sum)
    }
    guard sum == record.crc32 else {
      throw CheckpointError(
        .malformed, "record '\(record.kind)': expected CRC-32 \(record.crc32), found \(sum)",
        path: file.name, offset: record.offset)
    }
  }

  private func paddingError(before stored: NativeIndex.Stored) -> CheckpointError? {
    do throws(CheckpointError) {
      try checkPadding(before: stored)
      return nil
    } catch {
      return error
    }
  }

  /// Checks the zeros before each chunk of an aligned tensor: nothing hides between chunks.
  private func checkPadding(before stored: NativeIndex.Stored) throws(CheckpointError) {
    for chunk in stored.chunks where chunk.padding > 0 {
      let start = chunk.offset - chunk.padding
      let bytes = try file.bytes(start..<chunk.offset)
      if let index = bytes.firstIndex(where: { $0 != 0 }) {
        throw CheckpointError(
          .malformed, "expected a padding byte of 0, found \(bytes[index])",
          offset: start + index)
      }
    }
  }
}
