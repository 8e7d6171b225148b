import TensorCore

extension CheckpointError {
  /// Corrects the HDF5 checksum that this error complains about in a damaged file's bytes, so that
  /// readers come to the damage itself; returns whether the error was about a checksum.
  package func mendChecksum(in bytes: inout [UInt8]) -> Bool {
    let words = message.split { !$0.isNumber }
    guard message.hasPrefix("expected checksum "), words.count == 2, let start = offset,
      let stated = UInt32(words[0]), let found = UInt32(words[1])
    else { return false }
    let wanted = (0..<4).map { UInt8(truncatingIfNeeded: stated >> (8 * $0)) }
    guard
      let index = (start..<max(start, bytes.count - 3)).first(where: {
        bytes[$0..<$0 + 4].elementsEqual(wanted)
      })
    else { return false }
    for byte in 0..<4 { bytes[index + byte] = UInt8(truncatingIfNeeded: found >> (8 * byte)) }
    return true
  }
}
