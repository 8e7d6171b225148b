import CheckpointKit
import TestSupport
import Testing

/// What is wrong gives one clear line on standard error, status 2 or 64, and changes nothing.
@Suite struct BadInputTests {
  @Test func `what a file says about a damaged part stays on one line`() throws {
    func array(_ end: String) -> [UInt8] {
      let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\(end)"
      return Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }) + [1, 0]
        + [UInt8(text.utf8.count), 0] + Array(text.utf8) + [0, 0, 0, 0]
    }
    let archive = try MemoryFiles.archive([
      ("good.npy", array("\n")), ("bad.npy", array("\u{1b}[31mno\nnews\n")),
    ])
    let place = try Workplace()
    try place.folder.write(archive, to: "a.npz")
    let run = try place.ckpt("ls", "a.npz")
    #expect(run.errors.contains("is left out"))
    #expect(run.errors.contains("[31mno\\nnews"), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("ckpt: a.npz: ") })
    #expect(!run.errors.utf8.contains(0x1b))
  }

  /// A command line, and the whole line that answers it.
  struct Case: Sendable, CustomStringConvertible {
    let arguments: [String]
    let status: Int
    let error: String
    var description: String { arguments.joined(separator: " ") }

    init(_ line: String, _ status: Int, _ error: String) {
      // `'…'` holds spaces together, as in a shell.
      let parts = line.split(separator: "'", omittingEmptySubsequences: false)
      arguments = parts.enumerated().flatMap { index, part in
        index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
      }
      self.status = status
      self.error = error
    }
  }

  /// A folder with one of each: valid files, and files that are not checkpoints.
  private static func place() throws -> Workplace {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("a.ckz")
    try place.folder.write([], to: "empty")
    try place.folder.write(Array("hello world\n".utf8), to: "text.txt")
    try place.folder.write(Array("nosuch.weight: [3]\n".utf8), to: "extra.txt")
    try place.folder.write(Array("model: text.txt\n".utf8), to: "bad.recipe")
    try place.folder.write(Array(try place.folder.bytes(of: "a.h5").dropLast(100)), to: "cut.h5")
    // How long an index is depends on the deflate library; how long its beginning is does not.
    try place.folder.write(Array(try place.folder.bytes(of: "a.ckz").prefix(300)), to: "cut.ckz")
    _ = try place.shell("mkdir d locked && chmod 555 locked && mkfifo fifo && ln -s loop loop")
    return place
  }

  private static func check(_ cases: [Case]) throws {
    let place = try Self.place()
    let names = try place.folder.names()
    let files = try names.filter { $0.hasPrefix("a.") }.map { try place.folder.bytes(of: $0) }
    for `case` in cases {
      let run = try CommandRun(
        [CommandRun.executable] + `case`.arguments, in: place.folder.path)
      #expect(run.status == `case`.status, "\(`case`)")
      // Where something is intact, ls and check also say how to save it.
      let hint = "'ckpt convert --keep-going' saves what is intact"
      let lines = run.errors.split(separator: "\n").filter { !$0.hasSuffix(": \(hint)") }
      #expect(
        lines.map { $0.replacing("; \(hint)", with: "") } == ["ckpt: \(`case`.error)"], "\(`case`)")
      #expect(run.output.isEmpty, "\(`case`)")
    }
    #expect(try place.folder.names() == names)
    #expect(
      try names.filter { $0.hasPrefix("a.") }.map { try place.folder.bytes(of: $0) } == files)
  }

  @Test(arguments: ["ls", "check", "hash", "stat"])
  func `tensors that add up to more bytes than a number holds are refused`(command: String) throws {
    let path = Fixtures.path("pytorch/refused-endless.pt")
    let run = try CommandRun([CommandRun.executable, command, path], in: "/")
    #expect(run.status == 2)
    #expect(
      run.errors
        == "ckpt: \(path): tensor 'a' at byte 233: overflow: shape [2305843009213693952, 2] reaches 2^62 bytes, "
        + "zeros left out\n")
  }

  @Test(arguments: [
    ("missing.h5", "No such file or directory"),
    ("missing/a.h5", "No such file or directory"),
    (
      "d",
      "is a directory, but not a checkpoint (formats: \(CheckpointFormat.names))"
    ),
    ("fifo", "expected a regular file, found a pipe"),
    ("/dev/zero", "expected a regular file, found a device"),
    ("loop", "Too many levels of symbolic links"),
    ("empty", "is empty, not a checkpoint"),
    (
      "text.txt", "is not a checkpoint: begins with 'hello wo' (formats: \(CheckpointFormat.names))"
    ),
    ("cut.h5", "at byte 0: file is truncated: expected 8304 bytes, found 8204"),
    (
      "cut.ckz",
      "at byte 300: 300 bytes without a footer: the file is truncated or was never finished"
    ),
  ])
  func `every command refuses a file that is not a checkpoint`(file: String, reason: String) throws
  {
    let lines = [
      "ls FILE", "stat FILE", "show FILE x", "hash FILE", "check FILE", "verify FILE",
      "diff FILE a.h5", "diff a.h5 FILE", "convert FILE b.h5", "reinit FILE --match x -o b.h5",
      "reinit a.h5 --match layer1 --from FILE -o b.h5",
    ]
    try Self.check(
      lines.map { line in
        let words = line.split(separator: " ").map { $0 == "FILE" ? file : String($0) }
        return Case(words.joined(separator: " "), 2, "\(file): \(reason)")
      })
  }

  @Test func `a file that is not a model is refused`() throws {
    let place = "expected a module, 'Name(…)' or 'None'"
    try Self.check([
      Case("tree missing.txt", 2, "missing.txt: No such file or directory"),
      Case("tree d", 2, "d: expected a regular file, found a directory"),
      Case("init fifo -o b.h5", 2, "fifo: expected a regular file, found a pipe"),
      Case("init text.txt -o b.h5", 2, "text.txt: line 1, column 1: \(place), found 'hello world'"),
      Case("tree text.txt", 2, "text.txt: line 1, column 1: \(place), found 'hello world'"),
      Case(
        "init empty -o b.h5", 2,
        "empty: line 1, column 1: expected a printed model, 'Name(…)', found no text"),
      Case(
        "verify a.h5 --model text.txt", 2,
        "text.txt: line 1, column 1: \(place), found 'hello world'"),
      Case("init --recipe missing -o b.h5", 2, "missing: No such file or directory"),
      Case("init model.txt --extra missing -o b.h5", 2, "missing: No such file or directory"),
      Case("convert a.h5 b.h5 --map missing", 2, "missing: No such file or directory"),
      Case(
        "init model.txt --extra text.txt -o b.h5", 2,
        "text.txt: line 1: expected 'name: [sizes]', 'name = name' or 'path: option=…', "
          + "found 'hello world'"),
      Case(
        "tree model.txt --extra extra.txt", 2,
        "extra.txt: line 1: the model has no module 'nosuch'"),
      Case(
        "init --recipe bad.recipe -o b.h5", 2,
        "text.txt: line 1, column 1: \(place), found 'hello world'"),
      Case(
        "init --recipe text.txt -o b.h5", 2,
        "text.txt: line 1: expected 'key: value', a rule 'SELECTOR: PARAMETER=INITIALIZER', "
          + "or a step such as 'construct FILE as NAME', found 'hello world'"),
      Case(
        "convert a.h5 b.h5 --map text.txt", 2,
        "text.txt: line 1: expected 'old = new', found 'hello world'"),
    ])
  }

  @Test func `wrong usage is reported before anything is read`() throws {
    let seeds = "expected an integer from -9223372036854775808 to 18446744073709551615"
    try Self.check([
      Case(
        "init model.txt", 64,
        "missing expected argument '--output <output>' (see 'ckpt init --help')"),
      Case(
        "init -o b.h5", 64,
        "missing MODEL: pass a model, or --recipe FILE that names one (see 'ckpt init --help')"),
      Case("init no.txt -o b.h5 --seed x", 64, "seed 'x': \(seeds) (see 'ckpt init --help')"),
      Case(
        "init no.txt -o b.h5 --seed 18446744073709551616", 64,
        "seed '18446744073709551616': \(seeds) (see 'ckpt init --help')"),
      Case(
        "reinit no.h5 --match x -o b.h5 --seed 1.5", 64,
        "seed '1.5': \(seeds) (see 'ckpt reinit --help')"),
      Case(
        "init no.txt -o b.h5 --dtype int8", 64,
        "unknown dtype 'int8': expected \(DType.floatingPoint.alternatives) (see 'ckpt init --help')"
      ),
      Case(
        "convert no.h5 b.h5 --dtype f33", 64,
        "unknown dtype 'f33': expected \(DType.floatingPoint.alternatives) (see 'ckpt convert --help')"
      ),
      Case(
        "init no.txt -o b.h5 --order up", 64,
        "unknown order 'up': expected modules, apply, or rules (see 'ckpt init --help')"),
      Case(
        "init no.txt -o b.h5 --to rar", 64,
        "unknown format 'rar': expected one of \(CheckpointFormat.writableNames) (see 'ckpt init --help')"
      ),
      Case(
        "init no.txt -o b.h5 --compression best", 64,
        "unknown compression 'best': expected planes, planes:fast, planes:small, gzip, gzip:1 to gzip:9, or none (see 'ckpt init --help')"
      ),
      Case(
        "ls no.h5 --match 'a &'", 64,
        "selector 'a &', column 4: expected a class, a name, '/', '!' or '(', found the end "
          + "(see 'ckpt ls --help')"),
      Case(
        "convert no.h5 b.h5 --rename s/a", 64,
        "substitution 's/a': expected s/pattern/replacement/ with optional flags g and i "
          + "(see 'ckpt convert --help')"),
      Case(
        "ls a.h5 --threads 0", 64, "--threads: expected 1 to 1024, found 0 (see 'ckpt ls --help')"),
      Case("frobnicate", 64, "unknown command 'frobnicate' (see 'ckpt --help')"),
      Case("hash", 64, "missing expected argument '<files> ...' (see 'ckpt hash --help')"),
      Case(
        "reinit a.h5 --match x", 64,
        "pass exactly one of -o OUT and --in-place, or --dry-run (see 'ckpt reinit --help')"),
      Case(
        "reinit a.h5 -o b.h5", 64,
        "missing --match SELECTOR; '**' selects everything (see 'ckpt reinit --help')"),
      Case(
        "verify --model model.txt --seeds 5..1", 64,
        "--seeds 5..1: expected FIRST..LAST, ascending, at most a million seeds "
          + "(see 'ckpt verify --help')"),
      Case(
        "diff - -", 64,
        "standard input ('-') may be given only once (see 'ckpt diff --help')"),
      Case(
        "diff a.h5 a.h5 --rtol -1", 64,
        "--rtol and --atol: expected finite numbers of 0 or more (see 'ckpt diff --help')"),
      Case(
        "init model.txt -o -", 64,
        "standard output has no file extension; pass --to FORMAT (see 'ckpt init --help')"),
      Case(
        "completions tcsh", 64,
        "unknown shell 'tcsh': expected bash, zsh, or fish (see 'ckpt completions --help')"),
    ])
  }

  @Test func `names, selectors, and rules that match nothing are reported with the file`() throws {
    let classes = "the classes are Linear, Net, ReLU, Sequential"
    try Self.check([
      Case(
        "show a.h5 layer1.weigth", 2,
        "a.h5: no tensor or value 'layer1.weigth'; the nearest name is 'layer1.weight'"),
      Case("show a.h5 nope", 2, "a.h5: no tensor or value 'nope'; ckpt ls lists their names"),
      Case(
        "show a.h5 layer1.weight[9]", 2,
        "a.h5: tensor 'layer1.weight': slice [9]: index '9' of dimension 0 is outside its size 4"),
      Case(
        "show a.h5 layer1.weight[0,0,0]", 2,
        "a.h5: tensor 'layer1.weight': slice [0,0,0] has 3 dimensions, shape [4, 2] has 2"),
      Case(
        "reinit a.h5 --match Conv2d -o b.h5", 2,
        "a.h5: selector 'Conv2d' matches no class or name; \(classes)"),
      Case(
        "ls a.ckz --match Conv2d", 2,
        "a.ckz: selector 'Conv2d' matches no class or name; \(classes)"),
      Case(
        "convert a.h5 b.h5 --match no.such", 2,
        "a.h5: selector 'no.such' matches nothing in the file"),
      Case(
        "ls a.h5 --match layer1 --match '*.wieght'", 2,
        "a.h5: selector '*.wieght' matches nothing in the file"),
      Case(
        "stat a.h5 --exclude layer2.biass", 2,
        "a.h5: selector 'layer2.biass' matches nothing in the file; did you mean 'layer1.bias'?"),
      Case(
        "convert a.h5 b.h5 --match layer1 --exclude '*'", 2,
        "a.h5: nothing is left: --exclude leaves out everything that is selected"),
      Case(
        "reinit a.h5 --match layer1 --match layer9.0 --in-place", 2,
        "a.h5: selector 'layer9.0' matches nothing in the file; did you mean 'layer2.0'?"),
      Case(
        "reinit a.h5 --match ReLU --in-place", 2,
        "a.h5: selector 'ReLU' matches only modules without tensors"),
      Case(
        "reinit a.h5 --match layer2.1 --in-place", 2,
        "a.h5: selector 'layer2.1' matches only modules without tensors"),
      Case(
        "init model.txt -o b.h5 --rule 'Conv2d: weight=1'", 2,
        "model.txt: rule 'Conv2d: weight=1': selector 'Conv2d' matches no class or name; \(classes)"
      ),
      Case(
        "init model.txt -o b.h5 --rule 'Linear: gamma=1'", 2,
        "model.txt: rule 'Linear: gamma=1' names 'gamma', which no module it matches has; "
          + "they have weight, bias"),
      Case(
        "convert a.h5 b.h5 --rename s/.*/x/", 2,
        "a.h5: 'layer1.weight' and 'layer1.bias' would both be called 'x'; "
          + "change --rename or --map"),
    ])
  }

  @Test func `an unknown initializer is answered with those that there are`() throws {
    let run = try Workplace().ckpt(
      "init", "no.txt", "-o", "b.h5", "--rule", "Linear: weight=glorot")
    #expect(run.status == 64)
    #expect(
      run.errors.hasPrefix(
        "ckpt: rule 'Linear: weight=glorot', column 16: unknown initializer 'glorot': "
          + "expected one of uniform, normal, "))
  }

  @Test func `a word that is both a class and a name is ambiguous`() throws {
    let place = try Workplace()
    try place.folder.write(
      Array("Net(\n  (Linear): Linear(in_features=1, out_features=1, bias=True)\n)".utf8),
      to: "net.txt")
    #expect(try place.ckpt("init", "net.txt", "-o", "a.h5").status == 0)
    let run = try place.ckpt("ls", "a.h5", "--match", "Linear")
    #expect(run.status == 2)
    #expect(
      run.errors
        == "ckpt: a.h5: selector 'Linear' matches both a class and a name; write kind:Linear or name:Linear\n"
    )
    #expect(try place.ckpt("ls", "a.h5", "--match", "kind:Linear").status == 0)
  }

  @Test func `targets that cannot be written are refused before the work`() throws {
    let long = String(repeating: "x", count: 253) + ".h5"
    try Self.check([
      Case("init model.txt -o a.h5", 2, "a.h5: exists; pass --force to replace it"),
      Case(
        "convert a.h5 a.keras", 2,
        "a.keras: files that end in .keras can only be written into a copy of a template; pass --like FILE"
      ),
      Case("convert a.h5 a.ckz", 2, "a.ckz: exists; pass --force to replace it"),
      Case("convert a.h5 a.h5", 2, "a.h5: exists; pass --force to replace it"),
      Case(
        "init model.txt -o net.xyz", 2,
        "net.xyz: expected a name that ends in one of \(CheckpointFormat.writableEndings); otherwise pass --to FORMAT"
      ),
      Case(
        "init model.txt -o no/net.h5", 2,
        "no/net.h5: directory 'no' does not exist"),
      Case(
        "init model.txt -o d --to ckz --force", 2,
        "d: expected a regular file to replace, found a directory"),
      Case(
        "init model.txt -o fifo --to ckz --force", 2,
        "fifo: expected a regular file to replace, found a pipe"),
      Case(
        "init model.txt -o /dev/full --to ckz --force", 2,
        "/dev/full: expected a regular file to replace, found a device"),
      Case("init model.txt -o \(long)", 2, "\(long): File name too long"),
      Case("init model.txt -o loop --to ckz", 2, "loop: Too many levels of symbolic links"),
    ])
  }

  @Test func `a folder without permission is refused, unless permissions do not apply`() throws {
    let place = try Self.place()
    let run = try place.ckpt("init", "model.txt", "-o", "locked/net.h5")
    let isRoot = try CommandRun(["/usr/bin/id", "-u"], in: "/").output == "0\n"
    #expect(run.status == (isRoot ? 0 : 2))
    if !isRoot {
      #expect(run.errors == "ckpt: locked/net.h5: write to its directory: Permission denied\n")
    }
  }

  @Test func `the longest name that a folder holds can be written`() throws {
    let place = try Workplace()
    let name = String(repeating: "x", count: 252) + ".h5"
    try place.makeArticle(name)
    try place.makeArticle(name, "--force", "--seed", "1")
    #expect(try place.folder.names() == ["model.txt", name])
  }

  @Test func `a name cannot steer the terminal`() throws {
    let place = try Workplace()
    let name = "a\nb\u{1b}[31m\u{202e}.h5"
    let shown = "a\\nb\\u{1b}[31m\\u{202e}.h5"
    #expect(
      try place.ckpt("ls", name).errors == "ckpt: \(shown): No such file or directory\n")
    try place.makeArticle(name)
    let run = try place.ckpt("check", name)
    #expect(run.status == 0 && run.output == "\(shown): ok (every tensor: fingerprint)\n")
    #expect(
      try place.ckpt("show", name, "x\u{1b}").errors.hasPrefix(
        "ckpt: \(shown): no tensor or value 'x\\u{1b}'"))
  }
}
