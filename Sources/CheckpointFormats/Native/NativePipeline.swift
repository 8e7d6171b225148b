import ByteIO
import ParallelWork
import TensorCore

/// Writing the tensors of a `.ckz` file through the pipeline.
extension NativeBody {
  /// Reads, packs, digests, and appends all pieces of the plan; the file does not depend on the
  /// number of threads.
  func appendAll(threads: Int) async throws {
    // Whether a tensor is a copy is decided in order, in the last stage; workers that ask meanwhile
    // may still pack pieces of it, which are then dropped: more work, but the same bytes.
    try await pipeline(
      Pieces(of: plan.sources.map(\.entry), size: NativeLayout.chunkSize, cut: .exact),
      threads: threads, size: 2 * NativeLayout.chunkSize, sharing: sharing,
      work: { [self] pieces in
        let job = NativeJob.pool.acquire()
        // What is left of a copy need not be read; its digest is known.
        if pieces.allSatisfy({ isCopy($0.tensor) }) {
          job.value.clear()
        } else {
          try ReadAhead.during(pieces.count) { try job.value.pack(pieces, of: plan) }
        }
        return job
      },
      stages: [
        PipelineStage { [self] _, job in
          try append(job.value)
          job.value.clear()
          NativeJob.pool.release(job)
        }
      ])
    try sink.ranks.requireSound(plan.sources.map(\.entry))
  }

  /// What other ranks get of a job: everything but the packed bytes, of which there are as many as
  /// there were read until they are written.
  private var sharing: Sharing<[Piece], Pool<NativeJob>.Item> {
    Sharing(
      sink.ranks, "chunks", window: WorkLimits.windowSize / 2, cost: \.byteCount
    ) { job, record in
      job.value.write(to: &record)
    } read: { _, record in
      let job = NativeJob.pool.acquire()
      job.value.read(from: &record)
      return job
    }
  }
}
