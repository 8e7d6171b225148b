import TestSupport
import Testing

@Suite struct ScanTests {
  private func run(_ arguments: String...) throws -> CommandRun {
    try CommandRun([CommandRun.executable, "scan"] + arguments, in: Fixtures.path("pytorch"))
  }

  @Test func `names are listed and the file is not judged`() throws {
    let run = try run("custom.pt")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.lines.contains { $0.contains("unknown") && $0.contains("__main__.Custom") })
    #expect(
      run.lines.contains { $0.contains("recognized") && $0.contains("collections.OrderedDict") })
    #expect(
      run.lines.last == """
        1 pickle, 4 names, 1 of them unknown; 1 tensor depends on unknown names. \
        Nothing was run
        """)
    #expect(!run.output.lowercased().contains("safe"))
  }

  @Test func `the report is JSON on demand`() throws {
    let run = try run("custom.pt", "--json")
    #expect(run.status == 0)
    #expect(run.output.contains("\"isKnown\":false") || run.output.contains("\"isKnown\" : false"))
    #expect(run.output.contains("custom.inside"))
  }

  @Test func `a name in many pickles is one line`() throws {
    let run = try run("distributed")
    let lines = run.lines.filter { $0.contains("torch._utils._rebuild_tensor_v2") }
    #expect(lines.count == 1 && lines[0].hasSuffix(" more"))
    #expect(run.lines.last?.contains(" pickles, \(run.lines.count - 1) names, 0 of them") == true)
  }

  @Test func `a dangerous name is a negative answer, an unread part a failure`() throws {
    let folder = try TemporaryFolder()
    let call = Array("cos\nsystem\n(S'true'\ntR.".utf8)
    let dangerous = try self.run(folder.write(call, to: "a.pkl"))
    #expect(dangerous.status == 1 && dangerous.errors.isEmpty)
    #expect(
      dangerous.lines.contains {
        $0.hasPrefix("dangerous: os.system ") && $0.hasSuffix("; called as os.system('true')")
      })
    #expect(dangerous.lines.last?.contains("1 dangerous") == true)
    let both = try self.run(folder.write(Array(call.dropLast()), to: "cut.pkl"))
    #expect(both.status == 1 && both.errors.contains("not scanned"))
    let cut = try self.run(folder.write([0x80, 2, 0x7d], to: "plain.pkl"))
    #expect(cut.status == 2 && cut.output.isEmpty)
  }

  @Test func `what cannot be opened in a folder does not keep the rest from being scanned`() throws
  {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array("cos\nsystem\n(S'true'\ntR.".utf8), to: "z.pkl")
    let path = CommandRun.quoted(folder.path)
    #expect(
      try CommandRun(shell: "ln -s nowhere \(path)/broken.pkl && mkfifo \(path)/pipe").status == 0)
    let run = try self.run(folder.path)
    #expect(run.status == 1 && run.lines.contains { $0.hasPrefix("dangerous: os.system ") })
    #expect(run.errors.contains("broken.pkl: ") && run.errors.contains("pipe: expected a regular"))
    #expect(try CommandRun(shell: "rm \(path)/z.pkl").status == 0)
    #expect(try self.run(folder.path).status == 2)
  }

  @Test func `a place in a compressed pickle has a plus`() throws {
    let run = try run("deflated.pt")
    #expect(run.lines.dropLast().allSatisfy { $0.drop { $0 == " " }.hasPrefix("+0x") })
  }

  @Test func `a file without a pickle cannot be scanned`() throws {
    let run = try run("README.md")
    #expect(run.status == 2)
    #expect(run.errors.hasPrefix("ckpt: README.md: "))
  }
}
