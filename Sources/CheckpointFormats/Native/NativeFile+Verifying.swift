import ByteIO
import ParallelWork
import TensorCore

/// Reading all of a `.ckz` file to find damage.
extension NativeFile {
  /// Reads every byte and returns the first error of each damaged tensor.
  ///
  /// Of a patch, tensors that need its base are checked as they are stored. Of a step, what earlier steps
  /// store of it is read as well.
  func verify(threads: Int) async throws -> [CheckpointError] {
    let strict = NativeFile(file, index, base: base, comparesStoredBytes: true)
    var contents: [NativeIndex.Stored?] = []
    var entries: [Checkpoint.Entry] = []
    var errors: [CheckpointError] = []
    for tensor in index.tensors {
      var content: NativeIndex.Stored?
      switch tensor.content {
      case .alias: continue
      case .unchanged where index.base != nil: continue
      case .unchanged: break
      case .stored(let stored):
        if stored.base != nil, index.base != nil {
          errors += storedError(stored).map { [$0.adding(tensor: tensor.name.text)] } ?? []
          continue
        }
        content = stored
      }
      guard let entry = try strict.entry(tensor) else { continue }
      contents.append(content)
      entries.append(entry)
    }
    // Each chunk is compared with its chaining value when it is read, and these with the digest when
    // the file is opened.
    let found = try await Checkpoint.readErrors(of: entries, threads: threads)
    return errors + self.errors(in: index.records)
      + entries.indices.compactMap { index in
        let padding = contents[index].flatMap { stored in
          error { () throws(CheckpointError) in try checkPadding(before: stored) }
        }
        return (padding ?? found[index])?
          .adding(path: file.name, tensor: entries[index].name.text)
      }
  }

  /// One error for each damaged record.
  func errors(in records: [NativeIndex.Record]) -> [CheckpointError] {
    records.compactMap { record in
      error { () throws(CheckpointError) in try check(record) }
    }
  }

  /// The first chunk that is not as it was stored.
  private func storedError(_ stored: NativeIndex.Stored) -> CheckpointError? {
    error { () throws(CheckpointError) in
      for chunk in stored.chunks {
        let bytes = try file.bytes(chunk.offset..<chunk.offset + chunk.length)
        try Self.check(bytes.rawBytes, chunk)
      }
    }
  }

  private func error(in check: () throws(CheckpointError) -> Void) -> CheckpointError? {
    do throws(CheckpointError) {
      try check()
      return nil
    } catch {
      return error
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

  /// Checks the zeros before each chunk of an aligned tensor: nothing hides between chunks.
  func checkPadding(before stored: NativeIndex.Stored) throws(CheckpointError) {
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
