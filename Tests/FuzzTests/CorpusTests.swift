import ByteIO
import FuzzTargets
import TestSupport
import Testing

/// The inputs that fuzzing has found, one archive for each target: those that reach most, and those
/// that once were read wrongly.
@Suite struct CorpusTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func `each stored input is read or refused`(_ name: String) async throws {
    let target = try #require(FuzzTarget.named(name))
    let archive = try ZipArchive(
      ByteSource(Fixtures.bytes("../Tools/fuzz/corpora/\(name).zip"), name: name))
    #expect(!archive.members.isEmpty)
    for member in archive.members {
      let problem = await target.problem(with: try archive.bytes(member, limit: 1 << 20))
      #expect(problem == nil, "\(member.name)")
    }
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `each stored input is changed and read or refused`(_ name: String) async throws {
    let target = try #require(FuzzTarget.named(name))
    let archive = try ZipArchive(
      ByteSource(Fixtures.bytes("../Tools/fuzz/corpora/\(name).zip"), name: name))
    for member in archive.members.prefix(20) {
      let bytes = try archive.bytes(member, limit: 1 << 20)
      var dice = SplitMix(seed: UInt64(bytes.count))
      let changed = target.mutated(bytes, seed: dice.next(), limit: bytes.count + 256) { part, _ in
        if !part.isEmpty { part[dice.below(part.count)] ^= 1 << UInt8(dice.below(8)) }
      }
      let problem = await target.problem(with: changed)
      #expect(problem == nil, "\(member.name)")
    }
  }
}
