import TestSupport
import Testing

/// A name may be both a tensor's and the beginning of others: `l.weight` beside `l.weight.absmax`.
@Suite struct PrefixNameTests {
  private static let header =
    #"{"l.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"#
    + #""l.weight.absmax":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},"#
    + #""l.weight.a.b":{"dtype":"F32","shape":[2],"data_offsets":[20,28]},"#
    + #""head":{"dtype":"F32","shape":[1],"data_offsets":[28,32]},"#
    + #""head.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[32,48]}}"#

  private func place() throws -> Workplace {
    let place = try Workplace()
    var bytes: [UInt8] = (0..<8).map {
      UInt8(truncatingIfNeeded: Self.header.utf8.count >> ($0 * 8))
    }
    bytes += Self.header.utf8
    bytes += [UInt8](repeating: 0, count: 48)
    try place.folder.write(bytes, to: "a.safetensors")
    return place
  }

  @Test(arguments: ["npz", "ckz", "h5", "pt", "gguf", "safetensors"])
  func `all formats keep both, and reinit, diff, and tree work`(format: String) throws {
    let place = try place()
    let (file, changed) = ("b.\(format)", "c.\(format)")
    #expect(try place.ckpt("convert", "a.safetensors", file).status == 0)
    #expect(try place.manifest(file) == place.manifest("a.safetensors"))
    #expect(try place.ckpt("diff", "a.safetensors", file).status == 0)
    #expect(try place.ckpt("tree", file).status == 0)
    let run = try place.ckpt(
      "reinit", file, "--match", "head.weight", "--rule", "name:head.weight: weight=1", "-o",
      changed)
    #expect(run.status == 0, "\(run.errors)")
    let names = try place.ckpt("diff", file, changed, "--name-only").lines
    #expect(names.count == 1 && names[0].contains("head.weight"), "\(names)")
  }
}
