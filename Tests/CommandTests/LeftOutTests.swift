import TestSupport
import Testing

/// Tensors that a file has and that cannot be read.
@Suite struct LeftOutTests {
  private let path = Fixtures.path("pickles/members.npz")

  @Test func `asking for such a tensor is an error`() throws {
    let shown = try Workplace().ckpt("show", path, "records")
    #expect(shown.status == 2 && shown.output.isEmpty)
    #expect(shown.errors.contains("tensor 'records': cannot be read: expected numeric"))
  }

  @Test func `a comparison says what it did not compare`() throws {
    let place = try Workplace()
    let compared = try place.ckpt("diff", path, path)
    #expect(compared.status == 2)
    #expect(
      compared.lines.contains("1 tensor not compared, which cannot be read (first: 'records')"))
    let json = try place.ckpt("diff", path, path, "--json").output
    #expect(json.filter { !$0.isWhitespace }.contains("\"notCompared\":[\"records\"]"))
  }

  @Test func `a quiet comparison does not claim what it could not compare`() throws {
    let place = try Workplace()
    let compared = try place.ckpt("diff", "-q", path, path)
    #expect(compared.status == 2 && compared.output.isEmpty)
    #expect(
      compared.errors
        == "ckpt: 1 tensor not compared, which cannot be read (first: 'records')\n")
    let excluded = try place.ckpt("diff", "-q", path, path, "--exclude", "records")
    #expect(excluded.status == 0 && excluded.errors.isEmpty)
    let selected = try place.ckpt("diff", path, path, "--match", "records")
    #expect(selected.status == 2)
    #expect(selected.errors.contains("tensor 'records': cannot be read: expected numeric"))
  }

  @Test func `a quiet fingerprint says what it leaves out`() throws {
    let hashed = try Workplace().ckpt("hash", "--quiet", path)
    #expect(hashed.status == 0)
    #expect(
      hashed.errors
        == "ckpt: \(path): 1 tensor left out, which cannot be read (first: 'records')\n")
  }

  @Test func `a fingerprint says what it leaves out, and is never that of nothing`() throws {
    let place = try Workplace()
    let hashed = try place.ckpt("hash", path, "--json")
    #expect(hashed.status == 0 && hashed.errors.contains("'records' is left out"))
    #expect(hashed.output.filter { !$0.isWhitespace }.contains("\"leftOut\":[\"records\"]"))
    let records = Fixtures.path("pickles/records.npz")
    let only = try place.ckpt("hash", records)
    #expect(only.status == 2 && only.output.isEmpty)
    #expect(only.errors.contains("contains no tensor that can be read"))
    #expect(try place.ckpt("ls", records).status == 0)
  }
}
