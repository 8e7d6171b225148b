import ByteIO
import ParallelWork
import TensorCore

/// Appends parity of what a sink holds, and what comes after it.
enum ParityWriter {
  /// What follows the parity and is covered as well.
  struct Tail {
    let bytes: [UInt8]
    /// The digest of the index that lists the record.
    let digest: Digest
  }

  /// Appends parity of the bytes from `start` on, then the tail, which `makeTail` composes given the record
  /// and where it begins; its last bytes may be withheld, to be appended by the caller.
  ///
  /// What was appended is read once more, row by row, so that a few MiB per thread suffice. The sink must
  /// be a local file (``ByteSink/staging(_:)``).
  static func append(
    to sink: ByteSink, from start: Int, percent: Int, threads: Int, withholding: Int = 0,
    makeTail: (_ record: NativeIndex.Record, _ offset: Int) throws -> Tail
  ) async throws {
    let offset = sink.position
    var (layout, tail) = try planned(start, offset, percent, makeTail)
    layout.end = layout.resume + tail.bytes.count
    layout.digest = tail.digest
    let (written, bytes, resume) = (try sink.readBack(), tail.bytes, layout.resume)
    let covered = ByteSource(name: sink.name, size: layout.end) {
      position, target throws(CheckpointError) in
      if position < resume { return try written.read(at: position, into: &target) }
      let start = position - resume
      target.copyBytes(from: bytes.rawBytes.extracting(start..<start + target.byteCount))
    }
    let (plan, code) = (layout, layout.code)
    let pool = Pool(capacity: threads) { ParityRow(plan, code) }
    _ = try await concurrentMap(0..<plan.rows, width: threads) { row in
      let job = pool.acquire()
      defer { pool.release(job) }
      let sums = try job.value.read(row, of: covered)
      job.value.encode(row, sums.map { $0 ?? 0 })
      for shard in 0..<plan.shards {
        let place = plan.place(ofShard: plan.number(ofShard: shard, row: row))
        try job.value.lend(shard: shard) { bytes throws(CheckpointError) in
          try sink.write(bytes, at: place)
        }
      }
    }
    sink.advance(to: resume)
    try sink.append(bytes.rawBytes.extracting(0..<bytes.count - withholding))
  }

  /// The layout and the tail that agree: the index states the size of the record, which depends on that
  /// of the index.
  private static func planned(
    _ start: Int, _ offset: Int, _ percent: Int,
    _ makeTail: (_ record: NativeIndex.Record, _ offset: Int) throws -> Tail
  ) throws -> (ParityLayout, Tail) {
    var record = NativeIndex.Record(kind: ParityLayout.kind, offset: offset, length: 0, crc32: 0)
    var tail = try makeTail(record, offset)
    // A layout has room for one block more than it was made for, and the index grows by a few digits.
    for _ in 0..<16 {
      let layout = ParityLayout(
        start: start, offset: offset, trailing: tail.bytes.count, percent: percent)
      record = layout.record
      tail = try makeTail(record, layout.resume)
      if layout.holds(trailing: tail.bytes.count) { return (layout, tail) }
    }
    throw CheckpointError(.unsupported, "no parity fits its own index", offset: offset)
  }
}
