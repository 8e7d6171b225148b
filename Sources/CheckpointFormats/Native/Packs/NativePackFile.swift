import ByteIO
import Synchronization
import TensorCore

/// An open pack: the checkpoints of a run in one file.
///
/// The index of a step is read when the step, or a later one that refers to it, is opened.
final class NativePackFile: Sendable {
  let file: ByteSource
  let pack: NativePack
  /// Where the last complete index ends; what follows was never finished.
  let end: Int
  private let opened = Mutex<[Int: Step]>([:])

  /// The index of a step, and what it stores by digest.
  private struct Step {
    let index: NativeIndex
    let stored: [Digest: NativeIndex.Stored]
  }

  /// What was found of a file.
  private struct Finding {
    let pack: NativePackFile?
  }

  /// Most indexes that are read in a file whose end was never finished.
  private static let maxTries = 16
  /// Most marks that are looked at, each of which may cost the reading of a block.
  private static let maxMarks = 256

  /// The pack that is being recognized; `nil` for any other `.ckz` file.
  static func opened(_ probe: FileProbe) throws(CheckpointError) -> NativePackFile? {
    try probe.finding { probe throws(CheckpointError) in
      // Others may add to it: all that is read here is verified.
      let source = try probe.source.unguarded
      return try CheckpointError.placing(path: source.name) { () throws(CheckpointError) in
        let isPack = try NativeFooter.flags(of: source) == NativeLayout.packFlag
        return Finding(pack: isPack ? try NativePackFile(source) : nil)
      }
    }.pack
  }

  /// Opens the last complete index of a pack.
  init(_ file: ByteSource) throws(CheckpointError) {
    self.file = file
    let damage: CheckpointError
    do throws(CheckpointError) {
      if let footer = try NativeFooter(of: file, endingAt: file.size) {
        pack = try Self.pack(footer, of: file)
        end = file.size
        return
      }
      // Nothing that was cut off ends in a footer that lacks only its mark.
      guard try NativeFooter.isUnmarked(file) else {
        guard let found = try Self.last(in: file) else { throw NativeFooter.cut(file) }
        (pack, end) = found
        return
      }
      damage = CheckpointError(
        .malformed, "the mark that ends the footer is damaged",
        offset: file.size - NativeLayout.endMagic.count)
    } catch {
      damage = error
    }
    // Its end was finished once, so that what was added last is not taken for unfinished.
    let last = try Self.last(in: file)
    if Rescue.current != nil, let last {
      try Rescue.leaveOut(damage)
      (pack, end) = last
      return
    }
    let earlier = last.map { found in
      let count = found.pack.steps.count
      return "; cut it to \(found.end) bytes to read the first \(count) "
        + "checkpoint\(count == 1 ? "" : "s")"
    }
    throw CheckpointError(
      damage.code, damage.message + (earlier ?? ""), path: damage.path, offset: damage.offset)
  }

  private static func pack(
    _ footer: NativeFooter, of file: ByteSource
  ) throws(CheckpointError) -> NativePack {
    try footer.parsed(file) { text throws(CheckpointError) in
      try NativePack(parsing: text, end: footer.index.lowerBound)
    }
  }

  /// The last complete index before the end of the file, and where its footer ends.
  private static func last(
    in file: ByteSource
  ) throws(CheckpointError) -> (pack: NativePack, end: Int)? {
    var (end, tries, marks) = (file.size, 0, 0)
    let endMagic = NativeLayout.endMagic
    let first = NativeLayout.headerSize + NativeLayout.footerSize - endMagic.count
    while tries < maxTries, marks < maxMarks,
      let mark = try file.lastMark(endMagic, before: end, from: first)
    {
      end = mark + endMagic.count
      marks += 1
      let footer: NativeFooter?
      do throws(CheckpointError) {
        footer = try NativeFooter(of: file, endingAt: end)
      } catch {
        footer = nil
      }
      guard let footer else { continue }
      tries += 1
      do throws(CheckpointError) {
        return (try pack(footer, of: file), end)
      } catch {
        continue
      }
    }
    return nil
  }

  // MARK: - Steps

  /// The number of a step.
  ///
  /// - Throws: ``CheckpointError`` `missing` if none is named, or there is none of that number.
  func number(of step: PackStep?) throws(CheckpointError) -> Int {
    let count = pack.steps.count
    let message: String
    switch step {
    case .latest: return count - 1
    case .number(let number) where number < count: return number
    case .number(let number):
      message = "expected a step of 0 to \(count - 1), found \(number)"
    case nil:
      message =
        "is a pack of \(count) checkpoint\(count == 1 ? "" : "s"); name one, as "
        + "\(file.name)@\(count - 1) or \(file.name)@latest"
    }
    throw CheckpointError(.missing, message, path: file.name)
  }

  /// A step as a file of its own, which reads what earlier steps store.
  func file(_ step: PackStep?) throws(CheckpointError) -> NativeFile {
    try file(number: number(of: step), chain: NativeLayout.maxChain)
  }

  func file(
    number: Int, chain: Int = NativeLayout.maxChain, comparesStoredBytes: Bool = false
  ) throws(CheckpointError) -> NativeFile {
    let base = NativeBase { [self] reference, byteCount throws(CheckpointError) in
      try entry(reference, byteCount, chain: chain - 1)
    }
    return NativeFile(
      file, try self.step(number).index, base: base, comparesStoredBytes: comparesStoredBytes)
  }

  private func step(_ number: Int) throws(CheckpointError) -> Step {
    if let known = opened.withLock({ $0[number] }) { return known }
    let index = try index(number)
    var stored: [Digest: NativeIndex.Stored] = [:]
    for case .stored(let content) in index.tensors.map(\.content) {
      stored[content.digest] = stored[content.digest] ?? content
    }
    let step = Step(index: index, stored: stored)
    opened.withLock { $0[number] = step }
    return step
  }

  /// Reads the index of a step, which is not kept; errors do not name the step.
  func unnamedIndex(_ number: Int) throws(CheckpointError) -> NativeIndex {
    let step = pack.steps[number]
    return try step.index.parsed(file) { text throws(CheckpointError) in
      try NativeIndex(
        parsing: text, start: step.start, end: step.index.index.lowerBound, step: number)
    }
  }

  /// Reads the index of a step, which is not kept.
  func index(_ number: Int) throws(CheckpointError) -> NativeIndex {
    do throws(CheckpointError) {
      return try unnamedIndex(number)
    } catch {
      throw CheckpointError(
        error.code, "step \(number): \(error.message)", path: file.name, tensor: error.tensor,
        offset: error.offset)
    }
  }

  /// What a step stores by the digest of a reference.
  func stored(
    _ reference: NativeIndex.Reference, _ byteCount: Int
  ) throws(CheckpointError) -> (step: Int, content: NativeIndex.Stored) {
    guard let number = reference.step, pack.steps.indices.contains(number),
      let content = try step(number).stored[reference.digest], content.info.byteCount == byteCount
    else { throw missing(reference, byteCount) }
    return (number, content)
  }

  /// That a step does not store what another refers to.
  func missing(_ reference: NativeIndex.Reference, _ byteCount: Int) -> CheckpointError {
    let step = reference.step.map { "step \($0)" } ?? "the pack"
    return CheckpointError(
      .malformed, "\(step) stores no \(byteCount) bytes with digest \(reference.digest)",
      path: file.name)
  }

  /// That a chain of references is longer than a reader follows.
  var tooLong: CheckpointError {
    CheckpointError(
      .malformed, "more than \(NativeLayout.maxChain) differences of differences",
      path: file.name)
  }

  private func entry(
    _ reference: NativeIndex.Reference, _ byteCount: Int, chain: Int
  ) throws(CheckpointError) -> Checkpoint.Entry {
    guard chain >= 0 else { throw tooLong }
    let (step, content) = try stored(reference, byteCount)
    let tensor = NativeIndex.Tensor(name: "", content: .stored(content))
    // A step that is checked is checked with what earlier ones store of it.
    let file = try file(number: step, chain: chain, comparesStoredBytes: true)
    guard let entry = try file.entry(tensor) else {
      throw CheckpointError(.malformed, "an alias as a base", path: self.file.name)
    }
    return entry
  }
}
