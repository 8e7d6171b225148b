import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// Files that end in the middle of what they are recognized by.
struct ShortFileTests {
  private static func name(_ bytes: some Sequence<UInt8>) throws {
    let probe = try FileProbe("file", in: MemoryFiles(["file": Array(bytes)]).place)
    if CheckpointFormat.recognized(probe) == nil { _ = KnownFile.error(for: probe) }
  }

  /// Each is recognized or not; a list in a pickle, `]q`, once ended the process.
  @Test func everyFirstByte() throws {
    try Self.name([])
    for first in UInt8.min...UInt8.max {
      try Self.name([first])
      for second in [0, 1, 2, 8, 0x80, 0xff] + "\n(PZdlpq{".utf8 {
        try Self.name([first, second])
      }
    }
  }

  @Test(arguments: ["(lp", "(dp", "(lq", "(dq", "}q", "]q", "cm\nn\n", "\u{1}\u{1}\u{1}\u{1}"])
  func everyPrefix(of text: String) throws {
    for count in 0...text.utf8.count { try Self.name(text.utf8.prefix(count)) }
  }

  @Test func everyPrefixOfWhatIsKnown() throws {
    let known = KnownFileTests.rows.map(\.bytes) + KnownFileTests.texts.map { Array($0.0.utf8) }
    for bytes in known {
      for count in 0...min(bytes.count, 64) { try Self.name(bytes.prefix(count)) }
    }
  }

  @Test func everyPrefixOfEachFixture() throws {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: Fixtures.path(""))
    for path in paths {
      guard let bytes = try? Fixtures.bytes(path) else { continue }
      let head = bytes.prefix(64)
      for count in 0...head.count { try Self.name(head.prefix(count)) }
    }
  }
}
