import TensorCore

/// Where the bytes are to which the index of a patch, or of a step of a pack, refers.
struct NativeBase: Sendable {
  /// Finds bytes of a size; their entry's own name, type, and shape say nothing.
  let find:
    @Sendable (_ reference: NativeIndex.Reference, _ byteCount: Int) throws(CheckpointError) ->
      Checkpoint.Entry

  /// The tensors of the checkpoint that a patch changes, whose digests are known.
  static func checkpoint(_ tensors: [(entry: Checkpoint.Entry, digest: Digest)]) -> Self {
    let entries = Dictionary(keepingFirst: tensors.map { ($0.digest, $0.entry) })
    return Self { reference, byteCount throws(CheckpointError) in
      guard let entry = entries[reference.digest], entry.info.byteCount == byteCount else {
        throw CheckpointError(
          .mismatched, "the base has no \(byteCount) bytes with digest \(reference.digest)")
      }
      return entry
    }
  }

  /// None: a patch alone has no values but those that it stores whole.
  static func missing(fingerprint: Digest?) -> Self {
    Self { reference, byteCount throws(CheckpointError) in
      guard let fingerprint else {
        throw CheckpointError(.malformed, "refers to a base that the file does not name")
      }
      let info = try TensorInfo(dtype: .uint8, shape: [byteCount])
      return Checkpoint.Entry(name: "", info: info) { _, _ in
        throw CheckpointError(
          .missing,
          "needs the base of this patch, fingerprint \(fingerprint); see ckpt apply")
      }
    }
  }
}
