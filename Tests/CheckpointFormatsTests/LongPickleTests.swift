import ByteIO
@testable import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Pickles that are larger than what is kept in memory of them.
@Suite struct LongPickleTests {
  private typealias P = PickleSample

  /// A source of zeros with some bytes at its beginning and its end.
  private func source(_ start: [UInt8], zeros: Int, _ end: [UInt8]) -> ByteSource {
    let size = start.count + zeros + end.count
    return ByteSource(name: "long", size: size) { offset, target throws(CheckpointError) in
      for index in 0..<target.byteCount {
        let place = offset + index
        let byte: UInt8 =
          place < start.count
          ? start[place] : place < size - end.count ? 0 : end[place - (size - end.count)]
        target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      }
    }
  }

  private func size(_ count: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
  }

  @Test func `an array of more than 64 MiB in a pickle is read by range`() throws {
    let count = 80 << 20
    // {'w': numpy._core.numeric._frombuffer(bytes, dtype('u1'), (count,), 'C')}
    let start: [P.Code] = [
      [0x80, 4], P.emptyDictionary, P.text("w"), P.global("numpy._core.numeric", "_frombuffer"),
      [0x28, 0x8e], size(count),
    ]
    let end: [P.Code] = [
      P.global("numpy", "dtype"), P.tuple(P.text("u1")), P.reduce, P.tuple(P.int(count)),
      P.text("C"), [0x74], P.reduce, [0x73], P.stop,
    ]
    let probe = try FileProbe(
      source(Array(start.joined()), zeros: count, Array(end.joined())), in: MemoryFiles().place)
    let opened = try CheckpointFormat.pytorch.open(probe, OpenOptions())
    let entry = try #require(opened.entries.first)
    #expect(entry.name == "w" && entry.info.byteCount == count)
    let part = try [UInt8](count: 16) { try entry.read(count - 16..<count, into: &$0) }
    #expect(part.allSatisfy { $0 == 0 })
    let scan = try PickleScan(probe)
    #expect(scan.unread.isEmpty && scan.findings.count == 2)
  }

  @Test func `a call after more values than fit in memory is found`() throws {
    // A list of 3.5 million numbers in batches of 1,000, none of which the memo holds.
    var batch: [UInt8] = [0x28]
    for index in 0..<1000 { batch += [0x4a] + size(index + 70_000).prefix(4) }
    batch += [0x65]
    var bytes: [UInt8] = [0x80, 2, 0x5d]
    for _ in 0..<3500 { bytes += batch }
    let call: [P.Code] = [
      [0x30], P.global("os", "system"), P.tuple(P.text("x")), P.reduce, P.stop,
    ]
    bytes += call.joined()
    let file = ByteSource(bytes, name: "long")
    let scan = try PickleScan(FileProbe(file, in: MemoryFiles().place))
    #expect(scan.unread.isEmpty)
    #expect(scan.findings.map(\.fullName) == ["os.system"])
    #expect(scan.findings.first?.calls == ["os.system('x')"])
  }

  @Test func `text of every length and cut is validated`() throws {
    // Characters of two to four bytes, so that parts of 64 KiB end inside of some.
    let text = Array(String(repeating: "aé日\u{1f600}", count: 40_000).utf8)
    let zeros = 65 << 20
    func pickle(_ text: [UInt8]) -> ByteSource {
      let start: [P.Code] = [
        [0x80, 4], P.emptyDictionary, P.text("t"), [0x8d], size(text.count), text, [0x73],
        P.text("z"), [0x8e], size(zeros),
      ]
      return source(Array(start.joined()), zeros: zeros, [0x73] + P.stop)
    }
    let whole = try Pickle(pickle(text))
    #expect(whole.distant.map(\.isText) == [true, false])
    var broken = text
    broken[1 << 16] = 0xff
    #expect(throws: CheckpointError.self) { try Pickle(pickle(broken)) }
  }
}
