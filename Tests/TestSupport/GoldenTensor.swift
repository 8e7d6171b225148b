public import ParallelWork
public import TensorCore

/// A tensor as the manifests in `Fixtures` list it: what another program read.
public struct GoldenTensor: Decodable, Hashable, Sendable {
  public let name: String
  public let dtype: String
  public let shape: [Int]
  /// SHA-256 of its bytes, in hexadecimal.
  public let sha256: String

  /// What we read of a tensor, `chunk` bytes at a time.
  public init(_ entry: Checkpoint.Entry, chunk: Int = ChunkBuffer.standardSize) throws {
    var digest = DigestBuilder(.sha256)
    var buffer = ChunkBuffer(capacity: chunk)
    try entry.forEachChunk(using: &buffer) { _, bytes in digest.update(bytes) }
    (name, dtype, shape) = (entry.name.text, entry.info.dtype.rawValue, entry.info.shape.sizes)
    sha256 = digest.finalize().description
  }

  /// Names are compared as bytes.
  public static func == (left: Self, right: Self) -> Bool {
    left.name.utf8.elementsEqual(right.name.utf8) && left.dtype == right.dtype
      && left.shape == right.shape && left.sha256 == right.sha256
  }
}
