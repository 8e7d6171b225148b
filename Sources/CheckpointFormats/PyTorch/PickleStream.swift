import ByteIO
import TensorCore

/// Reads pickles that follow each other in a file, possibly with other bytes between them.
struct PickleStream {
  let file: ByteSource
  /// Offset of the next pickle, or of whatever comes next.
  var position: Int
  /// Offset at which reading must stop.
  let end: Int

  /// Bytes read at first.
  ///
  /// A file may hold a pickle for each of its storages, most of them short.
  private static let firstWindow = 1 << 10

  init(_ file: ByteSource, _ range: Range<Int>? = nil) {
    self.file = file
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? file.size
  }

  /// Reads the pickle at the position, and moves after it.
  ///
  /// - Throws: ``CheckpointError`` at the offset in the file.
  mutating func next() throws(CheckpointError) -> Pickle {
    var window = Self.firstWindow
    while true {
      let count = min(window, Pickle.maxSize, end - position)
      let bytes = try file.bytes(position..<position + count)
      var machine = PickleMachine(bytes, at: 0)
      do throws(CheckpointError) {
        let pickle = try Pickle(&machine)
        position += pickle.end
        return pickle
      } catch {
        guard machine.input.isCut,
          count < min(Pickle.maxSize, end - position)
        else {
          var error = error
          error.offset = position + (error.offset ?? 0)
          error.path = file.name
          throw error
        }
        // The machine starts over with more bytes. Windows grow so fast that all attempts together
        // cost little more than the last one.
        window *= 16
      }
    }
  }

  /// Reads `count` bytes.
  mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
    guard count >= 0, count <= end - position else {
      throw CheckpointError(
        .malformed, "expected \(count) bytes here, found \(end - position)", path: file.name,
        offset: position)
    }
    defer { position += count }
    return try file.bytes(position..<position + count)
  }

  /// Reads a little-endian number.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Number {
    try bytes(Number.bitWidth / 8).littleEndian(type, at: 0)
  }

  /// Skips `count` bytes and returns their range.
  mutating func skip(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count >= 0, count <= end - position else {
      throw CheckpointError(
        .malformed, "expected \(count) bytes here, found \(end - position)", path: file.name,
        offset: position)
    }
    defer { position += count }
    return position..<position + count
  }
}
