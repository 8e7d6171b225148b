import ByteIO
import TensorCore

/// Opening a `.ckz` file: header, footer, then index.
extension NativeFile {
  /// The file that is being recognized, opened once for reading and verifying; of a pack, the step
  /// that was asked for.
  static func opened(_ probe: FileProbe) throws(CheckpointError) -> NativeFile {
    try probe.finding { probe throws(CheckpointError) in
      if let pack = try NativePackFile.opened(probe) { return try pack.file(probe.step) }
      if let step = probe.step { throw step.error(.missing, "holds one checkpoint") }
      return try NativeFile(try probe.source)
    }
  }

  /// Checks header and footer and reads the index.
  static func index(of file: ByteSource) throws(CheckpointError) -> NativeIndex {
    _ = try NativeFooter.flags(of: file)
    guard let footer = try NativeFooter(of: file, endingAt: file.size) else {
      throw NativeFooter.cut(file)
    }
    return try footer.parsed(file) { text throws(CheckpointError) in
      try NativeIndex(parsing: text, end: footer.index.lowerBound)
    }
  }
}
