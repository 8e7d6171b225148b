import ByteIO
import TensorCore

extension CheckpointFormat {
  /// PyTorch's `torch.save`, of every version, TorchScript's archives and distributed checkpoints.
  ///
  /// Pickles are read and never run: see ``Pickle``. Source: torch 2.15 `serialization.py`,
  /// `_utils.py`, `distributed/checkpoint`.
  public static let pytorch = CheckpointFormat(
    name: "pytorch", extensions: [".ckpt", ".pth", ".bin", ".pt"],
    recognizes: PyTorchFormat.recognizes,
    open: PyTorchFormat.open,
    write: nil,
    capacity: PyTorchFormat.capacity,
    verify: PyTorchFormat.verify)
}

enum PyTorchFormat {
  /// What a written file can carry: PyTorch's own types, ties, and the rest as text beside them.
  static let capacity = Capacity(
    dtypes: DType.allCases.filter { PyTorchGlobals.canWrite($0) })

  static func recognizes(_ candidate: Candidate) -> Bool {
    switch PyTorchFile.kind(of: candidate.head) {
    case .archive: PyTorchArchive.recognizes(candidate)
    case .stream, .tar, .pickle: true
    case nil: false
    }
  }

  static func open(_ path: String, _ options: OpenOptions) throws -> Checkpoint {
    do throws(CheckpointError) {
      return try PyTorchFile.open(path).checkpoint(key: options.key)
    } catch {
      throw error.adding(path: path)
    }
  }

  /// Checks the sums of all members of an archive; other kinds have none and are read.
  static func verify(_ path: String, threads: Int) async throws -> [CheckpointError] {
    let checkpoint = try open(path, OpenOptions())
    let candidate = try Candidate(path: path)
    if case .archive? = PyTorchFile.kind(of: candidate.head) {
      let archive = try ZipArchive(path: path, zeroMeansNoSum: true)
      return try await concurrentMap(archive.members, width: threads) { member in
        do throws(CheckpointError) {
          try archive.verify(member)
          return nil
        } catch {
          return error
        }
      }.compactMap { $0 }
    }
    return try await concurrentMap(checkpoint.entries, width: threads) { entry in
      do {
        var buffer = ChunkBuffer()
        try entry.forEachChunk(using: &buffer) { _, _ in }
        return nil
      } catch let error as CheckpointError {
        return error.adding(path: path, tensor: entry.name.text)
      }
    }.compactMap { $0 }
  }
}
