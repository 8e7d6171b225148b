import ByteIO
import TensorCore

/// Pickles that follow each other in a file, with other bytes between them perhaps.
struct PickleStream {
  let file: ByteSource
  /// Where the next pickle begins, or whatever comes next.
  var position: Int
  /// Where what may be read ends.
  let end: Int

  /// How much is read of a file at first: few pickles are longer.
  private static let firstWindow = 1 << 16

  init(_ file: ByteSource, _ range: Range<Int>? = nil) {
    self.file = file
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? file.size
  }

  /// Reads the pickle at the position and moves behind it.
  ///
  /// - Throws: ``CheckpointError`` at the offset in the file.
  mutating func next() throws(CheckpointError) -> Pickle {
    var window = Self.firstWindow
    while true {
      let count = min(window, Pickle.maxSize, end - position)
      let bytes = try file.bytes(position..<position + count)
      do throws(CheckpointError) {
        let pickle = try Pickle(bytes)
        position += pickle.end
        return pickle
      } catch {
        guard error.message == PickleInput.ended.message,
          count < min(Pickle.maxSize, end - position)
        else {
          var error = error
          error.offset = position + (error.offset ?? 0)
          error.path = file.name
          throw error
        }
        window *= 16
      }
    }
  }

  /// Takes `count` bytes.
  mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
    guard count >= 0, count <= end - position else {
      throw CheckpointError(
        .malformed, "\(count) bytes are required here, \(end - position) are left", path: file.name,
        offset: position)
    }
    defer { position += count }
    return try file.bytes(position..<position + count)
  }

  /// Takes a number, the least significant byte first.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Number {
    try bytes(Number.bitWidth / 8).littleEndian(type, at: 0)
  }

  /// Skips `count` bytes, which must be there.
  ///
  /// - Returns: where they are.
  mutating func skip(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count >= 0, count <= end - position else {
      throw CheckpointError(
        .malformed, "\(count) bytes are required here, \(end - position) are left", path: file.name,
        offset: position)
    }
    defer { position += count }
    return position..<position + count
  }
}
