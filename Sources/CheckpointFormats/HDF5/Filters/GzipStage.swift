import ByteIO
import TensorCore

/// The filter gzip: each chunk is one zlib stream.
final class GzipStage: FilterStage {
  private var input: FilterInput
  private var inflater: Inflater

  /// Unpacks a stream.
  init(_ input: FilterInput) throws(CheckpointError) {
    self.input = input
    inflater = try Inflater(.zlib)
  }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    while !inflater.isAtEnd {
      guard try input.hasMore() else { throw FilterInput.cutShort }
      let made = try Self.unpack(&input, by: &inflater, into: &target)
      if made > 0 { return made }
    }
    guard try !input.hasMore() else {
      throw CheckpointError(.malformed, "bytes follow the end of the zlib stream")
    }
    return 0
  }

  private static func unpack(
    _ input: inout FilterInput, by inflater: inout Inflater, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    var made = 0
    try input.take { bytes throws(CheckpointError) in
      let step = try inflater.unpack(bytes, into: &target)
      made = step.made
      return step.taken
    }
    return made
  }
}
