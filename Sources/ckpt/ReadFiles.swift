import CheckpointKit

/// Refuses to write over a file that is read, by whatever path, unless the output takes the place of `input`.
func refuseReadFile(_ output: String, besides input: String? = nil) throws {
  guard output != "-", ByteSource.isBeingRead(output, besides: input) else { return }
  throw CheckpointError(
    .unsupported, "is one of the files that are read; write to another file",
    path: displayPath(output))
}
