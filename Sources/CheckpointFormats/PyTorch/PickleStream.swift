import ByteIO
import TensorCore

/// Reads pickles that follow each other in a file, possibly with other bytes between them.
struct PickleStream {
  let file: ByteSource
  /// Offset of the next pickle, or of whatever comes next.
  var position: Int
  /// Offset at which reading must stop.
  let end: Int

  init(_ file: ByteSource, _ range: Range<Int>? = nil) {
    self.file = file
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? file.size
  }

  /// Reads the pickle at the position, and moves after it; with `readsArrays` the arrays of joblib among
  /// the opcodes as well.
  ///
  /// - Throws: ``CheckpointError`` at the offset in the file.
  mutating func next(readsArrays: Bool = false) throws(CheckpointError) -> Pickle {
    var machine = PickleMachine(file, position..<end, readsArrays: readsArrays)
    do throws(CheckpointError) {
      let pickle = try Pickle(&machine)
      position += pickle.end
      return pickle
    } catch {
      throw located(error)
    }
  }

  /// The error of a machine, whose offsets are in the pickle, at the offset in the file.
  private func located(_ error: CheckpointError) -> CheckpointError {
    // What the file itself could not give has its place already.
    if error.path != nil { return error }
    var error = error
    error.offset = position + (error.offset ?? 0)
    error.path = file.name
    return error
  }

  /// Largest pickle of which all strings are kept while it is searched, in bytes.
  private static let maxWhole = 24 << 20

  /// Reads the pickle at the position as far as it can be read, and moves after it; with the reason if
  /// that is not to its end.
  ///
  /// Of one whose values do not fit in memory, only names and calls are found.
  mutating func nextPart(
    readsArrays: Bool = false
  ) throws(CheckpointError) -> (pickle: Pickle, error: CheckpointError?) {
    let whole = part(readsArrays: readsArrays, isLean: false)
    guard let error = whole.error else {
      position += whole.pickle.end
      return whole
    }
    guard !readsArrays, error.code == .unsupported else { return whole }
    let lean = part(readsArrays: false, isLean: true)
    if lean.error == nil { position += lean.pickle.end }
    return lean
  }

  private func part(
    readsArrays: Bool, isLean: Bool
  ) -> (pickle: Pickle, error: CheckpointError?) {
    var machine = PickleMachine(
      file, position..<end, cost: .scannedValues, keepsAll: end - position <= Self.maxWhole,
      readsArrays: readsArrays, isLean: isLean)
    do throws(CheckpointError) {
      return (try Pickle(&machine), nil)
    } catch {
      return (Pickle(stopped: machine), located(error))
    }
  }

  /// Reads `count` bytes.
  mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
    try file.bytes(try skip(count))
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

/// Files of `pickle.dump`.
extension PickleStream {
  /// Whether a file begins with a pickle: of protocol 2 to 5, which a mark says, or of protocol 0 or 1,
  /// as they begin for a dictionary, a list, or an object.
  static func recognizes(_ head: [UInt8]) -> Bool {
    guard head.count >= 2 else { return false }
    if head[0] == 0x80 { return (2...5).contains(head[1]) }
    for beginning in ["(dp", "(lp", "(dq", "(lq", "}q", "]q"]
    where head.starts(with: beginning.utf8) {
      return head.dropFirst(beginning.utf8.count).first.map { $0 < 0x40 } ?? false
    }
    // GLOBAL: a module and a name, a line each; then arguments, or a place in the memo.
    guard head[0] == UInt8(ascii: "c") else { return false }
    let lines = head.dropFirst().prefix(200).split(
      separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    guard lines.count == 3, let next = lines[2].first else { return false }
    return isName(lines[0]) && isName(lines[1]) && "pqr()".utf8.contains(next)
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, first >= UInt8(ascii: "A") else { return false }
    return bytes.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: ".") }
  }

  /// The pickle at the beginning of a file, which `pickle.load` reads.
  static func open(
    _ file: ByteSource, at start: Int = 0
  ) throws(CheckpointError) -> PyTorchFile {
    var stream = PickleStream(file, start..<file.size)
    let pickle = try stream.next(readsArrays: true)
    var opened = PyTorchFile(container: .file(file), pickle: pickle, pickleOffset: start)
    let rest = file.size - stream.position
    if rest > 0 {
      opened.notes.append(
        "\(rest) bytes follow the first pickle; they are not read (pickle.load does not read them "
          + "either)")
    }
    return opened
  }
}
