import ByteIO
import ParallelWork
import TensorCore

/// Writing the tensors of a `.ckz` file through the pipeline.
extension NativeBody {
  /// Reads, packs, digests, and appends all pieces of the plan; the file does not depend on the
  /// number of threads.
  ///
  /// A tensor's digest takes its chunks one after another, so each tensor of several chunks has a
  /// lane of its own. A chunk is appended after it is digested.
  func appendAll(threads: Int) async throws {
    let digests = PieceDigests()
    // Whether a tensor is a copy is decided in order, in the last stage; workers that ask meanwhile
    // may still pack pieces of it, which are then dropped: more work, but the same bytes.
    try await pipeline(
      Pieces(of: plan.sources.map(\.entry), size: NativeLayout.chunkSize, cut: .exact),
      threads: threads, size: 2 * NativeLayout.chunkSize,
      work: { [self] pieces in
        let job = NativeJob.pool.acquire()
        // What is left of a copy need not be read; its digest is known.
        if pieces.allSatisfy({ isCopy($0.tensor) }) {
          job.value.clear()
        } else {
          try job.value.pack(pieces, of: plan)
        }
        return job
      },
      stages: [
        PipelineStage(lane: { $0[0].tensor }) { pieces, job in
          if pieces[0].isWhole { return }
          job.value.digest = digests.add(pieces[0]) { job.value.hash(into: &$0) }
        },
        PipelineStage { [self] pieces, job in
          try append(job.value, endingWith: job.value.digest)
          NativeJob.pool.release(job)
        },
      ])
  }
}
