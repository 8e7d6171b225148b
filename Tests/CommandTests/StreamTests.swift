import TestSupport
import Testing

/// Which stream takes what, and what happens when it takes no more.
@Suite struct StreamTests {
  private static func place() throws -> Workplace {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.ckz", "--seed", "1")
    return place
  }

  private static let reports = [
    "tree a.h5", "ls a.h5", "stat a.h5", "show a.h5 layer1.bias", "diff a.h5 b.ckz",
    "reinit a.h5 --match Linear --dry-run", "verify a.h5", "hash a.h5", "check a.h5",
    "convert a.h5 - --to ckz", "init model.txt -o - --to ckz", "completions bash", "--help",
    "--version", "help ls",
  ]

  @Test(arguments: reports)
  func `a full or closed standard output is an error`(command: String) throws {
    let place = try Self.place()
    let full = try place.shell("ckpt \(command) > /dev/full")
    #expect(full.status == 2)
    #expect(full.errors == "ckpt: standard output: No space left on device\n")
    let closed = try place.shell("ckpt \(command) >&-")
    #expect(closed.status == 2)
    #expect(closed.errors == "ckpt: standard output: Bad file descriptor\n")
  }

  @Test(arguments: reports)
  func `a closed pipe ends the command silently`(command: String) throws {
    let place = try Self.place()
    _ = try place.shell("mkdir tmp")
    let run = try place.shell(
      "export TMPDIR=$PWD/tmp; { sleep 0.2; ckpt \(command); echo $? >&2; } | :")
    #expect(run.errors == "141\n")
    #expect(try place.shell("ls -A tmp").output.isEmpty)
  }

  @Test func `standard input can be any one file, and only one`() throws {
    let place = try Self.place()
    let text = "model: model.txt\nseed: 1\n"
    try place.folder.write(Array(text.utf8), to: "net.recipe")
    try place.folder.write(Array("scale: [3] = 2\n".utf8), to: "extra.txt")
    try place.folder.write(Array("layer1.bias = x\n".utf8), to: "names.map")
    for (line, input) in [
      ("init --recipe - -o c.ckz -q && ckpt diff b.ckz c.ckz", "net.recipe"),
      ("init --recipe - -o d.ckz -q && ckpt diff b.ckz d.ckz", "b.ckz"),
      ("init model.txt --extra - -o e.ckz -q && ckpt show e.ckz scale", "extra.txt"),
      ("convert a.h5 f.h5 --map - --quiet && ckpt show f.h5 x", "names.map"),
      ("verify b.ckz --recipe -", "net.recipe"), ("ls a.h5 --match Linear --model -", "model.txt"),
      ("reinit a.h5 --match layer1 --from - -o g.h5 --quiet", "b.ckz"),
    ] {
      let run = try place.shell("{ ckpt \(line); } < \(input)")
      #expect(run.status == 0 && run.errors.isEmpty, "\(line): \(run.errors)")
    }
    #expect(
      try place.shell("ckpt convert a.h5 h.h5 --map - < model.txt").errors.hasPrefix(
        "ckpt: standard input: line 1: expected "))
    for line in [
      "init - --extra - -o i.h5 < extra.txt", "diff - a.h5 --model - < a.h5", "hash - - < a.h5",
    ] {
      let run = try place.shell("ckpt \(line)")
      #expect(run.status == 2)
      #expect(run.errors == "ckpt: standard input: may be given only once\n")
    }
  }

  @Test func `standard input is read as a file is, from a file or a pipe`() throws {
    let place = try Self.place()
    _ = try place.shell("mkdir tmp; ckpt convert b.ckz s.pt")
    for command in ["scan", "check", "hash", "ls", "tree"] {
      let named = try place.ckpt(command, "s.pt")
      #expect(named.status == 0)
      for line in ["ckpt \(command) - < s.pt", "cat s.pt | TMPDIR=$PWD/tmp ckpt \(command) -"] {
        let run = try place.shell(line)
        #expect(
          run.output.replacing("-: ", with: "s.pt: ").replacing("  -", with: "  s.pt")
            == named.output, "\(line)")
        #expect(run.status == 0 && run.errors.isEmpty, "\(line): \(run.errors)")
      }
    }
    #expect(try place.shell("ls -A tmp").output.isEmpty)
    // What was read of a file before is not there any more.
    let rest = try place.shell("{ dd bs=1 count=1 of=rest status=none; ckpt ls -; } < s.pt")
    #expect(rest.status == 2)
    #expect(
      rest.errors.hasPrefix("ckpt: standard input: is not a checkpoint: begins with 4b 03 04"))
  }

  @Test func `closed streams do not become files that are written`() throws {
    let place = try Self.place()
    let run = try place.shell(
      "ckpt reinit a.h5 --match layer1 -o c.h5 <&- >&- 2>&- && ckpt check c.h5 && ckpt verify c.h5")
    #expect(run.status == 0)
    #expect(run.lines.last == "verified: all 6 tensors are identical")
  }

  @Test func `quiet silences notes, not results and not errors`() throws {
    let place = try Self.place()
    let noisy = try place.ckpt("reinit", "a.h5", "--match", "layer1", "-o", "c.h5")
    #expect(
      noisy.errors == """
        ckpt: a.h5: the redrawn values are those that were there; pass another --seed to change them
        wrote c.h5: redrew 2 of 6 tensors, seed 0

        """)
    let quiet = try place.ckpt("reinit", "a.h5", "--match", "layer1", "-o", "d.h5", "--quiet")
    #expect(quiet.status == 0 && quiet.errors.isEmpty && quiet.output.isEmpty)
    #expect(try place.ckpt("ls", "a.h5", "--quiet").lines.count == 7)
    #expect(try place.ckpt("ls", "no.h5", "--quiet").errors.isEmpty == false)
  }

  @Test func `color is for terminals, and not with NO_COLOR`() throws {
    let place = try Self.place()
    let escape = "\u{1b}["
    #expect(try !place.ckpt("verify", "a.h5").output.contains(escape))
    let command = CommandRun.quoted(CommandRun.quoted(CommandRun.executable) + " verify a.h5")
    let shown = try place.shell("NO_COLOR= TERM=xterm script -qec \(command) /dev/null")
    #expect(shown.output.contains(escape + "32midentical"))
    let plain = try place.shell("NO_COLOR=1 TERM=xterm script -qec \(command) /dev/null")
    #expect(plain.output.contains("identical") && !plain.output.contains(escape))
    let dumb = try place.shell("NO_COLOR= TERM=dumb script -qec \(command) /dev/null")
    #expect(dumb.output.contains("identical") && !dumb.output.contains(escape))
  }

  @Test func `a tree's names cannot steer the terminal, and are not changed in a file`() throws {
    let place = try Workplace()
    let json = #"{"ckpt-model": 1, "modules": [{"path": "", "class": "N\u001b[31met"}]}"#
    try place.folder.write(Array(json.utf8), to: "net.json")
    let line = CommandRun.quoted(CommandRun.executable) + " tree net.json"
    let shown = try place.shell("TERM=xterm script -qec \(CommandRun.quoted(line)) /dev/null")
    #expect(shown.output.contains("N\\u{1b}[31met("))
    let kept = try place.ckpt("tree", "net.json")
    #expect(kept.output.hasPrefix("N\u{1b}[31met()\n"))
  }

  @Test func `every command has help with examples`() throws {
    let place = try Workplace()
    let commands = [
      "init", "tree", "ls", "stat", "show", "diff", "reinit", "verify", "convert", "hash", "check",
      "completions", "find-seed",
    ]
    let overview = try place.ckpt("--help")
    #expect(overview.status == 0 && overview.errors.isEmpty)
    for command in commands {
      let help = try place.ckpt(command, "--help")
      #expect(help.status == 0 && help.errors.isEmpty)
      #expect(help.output.contains("\nEXAMPLES\n"))
      #expect(help.lines.filter { $0.hasPrefix("  ckpt \(command)") }.isEmpty == false)
      #expect(overview.lines.contains { $0.hasPrefix("  \(command) ") })
    }
  }

  @Test func `help and tables fit 80 columns`() throws {
    let place = try Workplace()
    for command in [
      "init", "tree", "ls", "stat", "show", "diff", "reinit", "verify", "convert", "hash", "check",
      "scan", "completions", "find-seed",
    ] {
      let long = try place.ckpt(command, "--help").lines.filter { $0.count > 80 }
      #expect(long == [], "\(command)")
    }
    try place.makeArticle("a.h5")
    // Tables of a terminal are tests of `TerminalTests`; in a pipe nothing is shortened.
    let run = try place.ckpt("verify", "--model", "model.txt", "--seeds", "0..3")
    #expect(run.status == 0 && run.lines.count > 6)
    #expect(run.lines.filter { $0.count > 80 } == [])
  }

  @Test func `text from a pipe that the shell opens is read`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let script = "\(CommandRun.quoted(CommandRun.executable)) init <(cat model.txt) -o b.h5 --quiet"
    let run = try place.shell("bash -c \(CommandRun.quoted(script))")
    #expect(run.status == 0, "\(run.errors)")
    #expect(try place.fingerprint("b.h5") == place.fingerprint("a.h5"))
  }

  @Test(arguments: [
    ("covnert a.h5 b.h5", "unknown command 'covnert'; did you mean 'convert'?"),
    ("find_seed a.h5", "unknown command 'find_seed'; did you mean 'find-seed'?"),
    ("convert a.h5 b.h5 --dtype flaot16", "; did you mean 'float16'?"),
    ("convert a.h5 b --to safetensor", "; did you mean 'safetensors'?"),
    ("convert a.h5 b.h5 --compression gizp", "; did you mean 'gzip'?"),
  ])
  func `a misspelled word gets a suggestion`(line: String, suggestion: String) throws {
    let run = try Workplace().shell("ckpt \(line)")
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.errors.contains(suggestion), "\(run.errors)")
  }

  @Test func `find-seed does not offer a seed, and says what to pass`() throws {
    let place = try Workplace()
    #expect(!(try place.ckpt("find-seed", "--help").output.contains("--seed ")))
    let run = try place.ckpt("find-seed", "a.h5", "--seed", "1")
    #expect(run.status == 64 && run.errors.contains("pass --range FIRST..LAST"))
  }

  @Test func `the completion scripts know every command`() throws {
    for shell in ["bash", "zsh", "fish"] {
      let run = try Workplace().ckpt("completions", shell)
      #expect(run.status == 0 && run.output.contains("reinit"))
    }
  }

  /// Runs `init` of a net that takes a moment, as a.h5, and sends a signal while it works.
  private static func interrupt(_ place: Workplace, by signal: String, _ start: String) throws
    -> CommandRun
  {
    let text = "Linear(in_features=6000, out_features=6000, bias=False)"
    try place.folder.write(Array(text.utf8), to: "large.txt")
    let command = CommandRun.quoted(CommandRun.executable)
    return try place.shell(
      """
      \(start) \(command) init large.txt -o a.h5 --force & pid=$!; \
      until readlink /proc/$pid/fd/* | grep -q '#.*(deleted)'; do sleep 0.01; done; kill -\(signal) $pid; wait $pid; echo $?
      """)
  }

  @Test func `a signal that the caller ignores stays ignored, as nohup wants it`() throws {
    let place = try Self.place()
    let run = try Self.interrupt(place, by: "HUP", "env --ignore-signal=HUP")
    #expect(run.lines.last == "0")
    #expect(try place.ckpt("ls", "a.h5").lines.count == 2)
  }

  @Test(arguments: [("TERM", 143), ("INT", 130), ("HUP", 129)])
  func `a signal leaves the old file, no other, and its status`(
    signal: String, status: Int
  ) throws {
    let place = try Self.place()
    let before = try place.folder.bytes(of: "a.h5")
    // Shells start background commands with SIGINT ignored.
    let run = try Self.interrupt(place, by: signal, "env --default-signal=\(signal)")
    #expect(run.lines.last == "\(status)")
    #expect(run.errors.split(separator: "\n").allSatisfy { !$0.hasPrefix("ckpt: ") })
    #expect(try place.folder.bytes(of: "a.h5") == before)
    #expect(try place.folder.names() == ["a.h5", "b.ckz", "large.txt", "model.txt"])
  }
}
