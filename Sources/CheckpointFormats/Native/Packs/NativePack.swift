import JSONText
import TensorCore

/// The index of a pack: where the indexes of its steps are.
struct NativePack {
  /// One checkpoint of the run.
  struct Step {
    /// The name of the file that was packed.
    let name: String
    /// The name of its format.
    let format: String
    /// Where its chunks begin; they end where its index begins.
    let start: Int
    let index: NativeFooter
  }

  var steps: [Step] = []

  /// The index as canonical JSON.
  var text: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.key("steps")
      json.array { json in
        for step in steps {
          json.object { json in
            json.key("blake3")
            json.string(step.index.digest.description)
            json.key("content")
            json.number(step.index.contentSize)
            json.key("format")
            json.string(step.format)
            json.key("name")
            json.string(step.name)
            json.key("offset")
            json.number(step.index.index.lowerBound)
            json.key("size")
            json.number(step.index.index.count)
            json.key("start")
            json.number(step.start)
          }
        }
      }
    }
    return json.bytes
  }

  /// A pack of these steps.
  init(steps: [Step] = []) { self.steps = steps }

  /// Reads an index that begins at byte `end`, before which all steps must be, one after the other.
  init(parsing text: [UInt8], end: Int) throws(CheckpointError) {
    var scanner = JSONScanner(
      text, offsets: .text("index"), spelling: .canonical, maxDepth: Value.maxJSONDepth)
    try scanner.expect("{\"steps\":")
    var position = NativeLayout.headerSize
    var steps: [Step] = []
    try scanner.array { scanner throws(CheckpointError) in
      let step = try Self.step(&scanner)
      guard step.start >= position, step.index.index.lowerBound >= step.start,
        step.index.index.upperBound <= end
      else {
        throw CheckpointError(
          .malformed,
          "step \(steps.count): expected its bytes between \(position) and \(end), found "
            + "\(step.start) to \(step.index.index.upperBound)")
      }
      position = step.index.index.upperBound
      steps.append(step)
    }
    try scanner.expect("}")
    try scanner.end()
    guard !steps.isEmpty else { throw CheckpointError(.malformed, "expected steps, found none") }
    self.steps = steps
  }

  private static func step(_ scanner: inout JSONScanner) throws(CheckpointError) -> Step {
    try scanner.expect("{\"blake3\":")
    let digest = try NativeIndex.digest(scanner.string(), of: "blake3")
    try scanner.expect(",\"content\":")
    let content = try scanner.wholeNumber()
    try scanner.expect(",\"format\":")
    let format = try scanner.string(atMost: NativeLayout.maxNameBytes)
    try scanner.expect(",\"name\":")
    let name = try scanner.string(atMost: NativeLayout.maxNameBytes)
    guard isFileName(name) else {
      throw CheckpointError(.malformed, "expected a plain file name of a step, found '\(name)'")
    }
    try scanner.expect(",\"offset\":")
    let offset = try scanner.wholeNumber()
    try scanner.expect(",\"size\":")
    let size = try scanner.wholeNumber()
    try scanner.expect(",\"start\":")
    let start = try scanner.wholeNumber()
    try scanner.expect("}")
    let (end, overflow) = offset.addingReportingOverflow(size)
    guard !overflow else {
      throw CheckpointError(.malformed, "an index of \(size) bytes at byte \(offset)")
    }
    return Step(
      name: name, format: format, start: start,
      index: try NativeFooter(index: offset..<end, contentSize: content, digest: digest))
  }

  /// Whether a name is that of a file in a folder: nothing leads out of it, and nothing is hidden.
  static func isFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "-" && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 >= 0x20 && $0 != 0x7f }
  }
}
