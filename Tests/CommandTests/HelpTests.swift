import CheckpointKit
import TestSupport
import Testing

@testable import CheckpointCommand

/// What `help` and `--help` print.
@Suite struct HelpTests {
  @Test(arguments: [[], ["help"], ["--help"], ["-h"], ["help", "--help"]])
  func `the first page lists every command and topic`(arguments: [String]) throws {
    let run = try CommandRun([CommandRun.executable] + arguments, in: "/tmp")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.split(separator: "\n", omittingEmptySubsequences: false).count <= 50)
    for name in Ckpt.commandNames + HelpTopic.allCases.map(\.rawValue) {
      #expect(run.lines.count { $0.hasPrefix("  \(name) ") } == 1, "\(name)")
    }
    #expect(run.lines.filter { $0.count > 80 } == [])
  }

  @Test(arguments: HelpTopic.allCases)
  func `a topic fits a screen`(topic: HelpTopic) throws {
    let run = try CommandRun("help", topic.rawValue)
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output == topic.page + "\n")
    #expect(topic.page.split(separator: "\n", omittingEmptySubsequences: false).count <= 40)
    #expect(run.lines.filter { $0.count > 80 } == [])
  }

  @Test func `the help of a command fits a screen, and help COMMAND has all of it`() throws {
    for name in Ckpt.commandNames {
      let page = try #require(try CommandHelp(named: name)).page
      let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= 45, "\(name): \(lines.count) lines")
      #expect(lines.filter { $0.count > 80 } == [], "\(name)")
      #expect(try CommandRun(name, "--help").output == page + "\n")
      #expect(try CommandRun(name, "x", "-h").output == page + "\n")
      let full = try CommandRun("help", name)
      #expect(full.status == 0 && full.output.contains("OVERVIEW: "))
      // Each option of the one is on the other.
      for line in full.lines where line.hasPrefix("  -") {
        let option = line.split(separator: " ").first { $0.hasPrefix("--") } ?? ""
        if option == "--help" || option == "--version" { continue }
        #expect(page.contains(option), "\(name) \(option)")
      }
    }
  }

  @Test func `the page of formats has every format`() {
    for format in CheckpointFormat.all {
      #expect(HelpTopic.formats.page.contains("\n  \(format.name)"), "\(format.name)")
    }
  }

  @Test(arguments: [
    (["help", "selecters"], "no command or topic 'selecters'; did you mean 'selectors'?"),
    (["help", "zzz"], "no command or topic 'zzz'"),
    (["help", "difff"], "no command or topic 'difff'; did you mean 'diff'?"),
    (["hepl"], "unknown command 'hepl'; did you mean 'help'?"),
  ])
  func `help on something unknown suggests what is near`(arguments: [String], error: String) throws
  {
    let run = try CommandRun([CommandRun.executable] + arguments, in: "/tmp")
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.errors == "ckpt: \(error) (see 'ckpt --help')\n")
  }

  @Test func `completions for tensors follow their dots`() throws {
    let place = try Workplace()
    try place.makeArticle("net.ckz")
    func names(_ prefix: String) throws -> [String] {
      try place.shell(
        "ckpt ---completion show -- positional@1 3 \(prefix.utf8.count) ckpt show net.ckz '\(prefix)'"
      ).lines
    }
    #expect(try names("") == ["layer1.", "layer2."])
    #expect(try names("layer2.") == ["layer2.0.", "layer2.2."])
    #expect(try names("layer1.w") == ["layer1.weight"])
    #expect(try names("x") == [])
  }
}
