import TestSupport
import Testing

/// What files hold besides tensors, as the command shows, compares, and carries it.
@Suite struct ValuesTests {
  private let place: Workplace
  private let trainer = Fixtures.path("pytorch/training.pt")

  init() throws { place = try Workplace() }

  @Test func `ls ends with one line about values, and --values lists them`() throws {
    let list = try place.ckpt("ls", trainer, "--quiet").output.split(separator: "\n")
    #expect(list.count == 4)
    #expect(list.last == "also holds: epoch, best_acc and 12 more; --values lists them")
    let values = try place.ckpt("ls", "--values", trainer, "--quiet").output
      .split(separator: "\n")
    #expect(values.first == "epoch                                            integer  3")
    #expect(values.allSatisfy { $0.count <= 80 })
    #expect(values.count == 29)
    let json = try place.ckpt("ls", "--values", trainer, "--json", "--quiet").output
    #expect(json.contains(#""address" : "optimizer.param_groups.0.lr""#))
    try place.makeArticle("a.h5")
    #expect(try !place.ckpt("ls", "a.h5").output.contains("also holds"))
  }

  @Test func `show prints one value`() throws {
    #expect(try place.ckpt("show", trainer, "epoch", "--quiet").output == "3\n")
    let rate = try place.ckpt("show", trainer, "optimizer.param_groups.0.lr", "--quiet")
    #expect(rate.output == "0.01\n")
    let indexed = try place.ckpt("show", trainer, "optimizer.param_groups[0].lr", "--quiet")
    #expect(indexed.output == "0.01\n")
    #expect(try place.ckpt("show", trainer, "args.name", "--quiet").output == "net\n")
    let args = try place.ckpt("show", trainer, "args", "--quiet").output
    #expect(args.hasPrefix("lr      real  0.5\nname    text  \"net\"\n"))
    let json = try place.ckpt("show", trainer, "nan", "--json", "--quiet").output
    #expect(
      json == "{\n  \"address\" : \"nan\",\n  \"type\" : \"real\",\n  \"value\" : \"NaN\"\n}\n")
    let rates = try place.ckpt("show", trainer, "optimizer.param_groups[0]", "--quiet").output
    #expect(rates.contains("\nlr ") || rates.hasPrefix("lr "), "\(rates)")
    let missing = try place.ckpt("show", trainer, "args.nane", "--quiet")
    #expect(missing.status == 2)
    #expect(
      missing.errors.hasSuffix(
        "no tensor or value 'args.nane'; the nearest name is 'args.name'\n"))
  }

  @Test func `diff reports values in one line, which counts with --values`() throws {
    try place.makeArticle("a.ckz")
    let convert = try place.ckpt("convert", trainer, "b.ckz", "--quiet")
    #expect(convert.status == 0)
    let run = try place.ckpt("diff", trainer, "b.ckz")
    #expect(run.status == 0)
    #expect(run.output == "identical tensors: 2; 13 other values changed\nvalues: 13 removed\n")
    let counted = try place.ckpt("diff", trainer, "b.ckz", "--values")
    #expect(counted.status == 1)
    #expect(counted.output.contains("\nvalue optimizer.param_groups.0.lr 0.01 removed\n"))
    let same = try place.ckpt("diff", "b.ckz", "b.ckz", "--values")
    #expect(same.status == 0 && same.output == "identical: 2 tensors (by stored digest)\n")
  }

  @Test(arguments: [".ckz", ".h5", ".safetensors", ".gguf", ".pt"])
  func `convert carries values, typed, and reports the parts it leaves out`(
    _ ending: String
  ) throws {
    let run = try place.ckpt("convert", trainer, "a" + ending)
    #expect(run.status == 0)
    #expect(
      run.errors.contains(
        "ckpt: \(trainer): converting 'state_dict'; left out optimizer (6 tensors, 12 values), mixed (1 tensor, 1 value): pass --all for every part, --key for another\n"
      ))
    #expect(!run.errors.contains("reading"))
    #expect(
      run.errors.contains(
        "values are stored where only ckpt reads them: epoch, best_acc and ") == (ending == ".pt"))
    let values = try place.ckpt("diff", trainer, "a" + ending, "--values").output
    let changed = values.split(separator: "\n").filter { $0.hasPrefix("value ") }
    #expect(changed.count { $0.hasPrefix("value optimizer.") } == 12)
    #expect(changed.count == 13, "\(changed)")
    #expect(changed.allSatisfy { $0.hasSuffix(" removed") })
  }

  @Test func `a format without values reports each, also in a dry run`() throws {
    let dry = try place.ckpt("convert", trainer, "a.npz", "--dry-run", "--json", "--quiet")
    #expect(dry.output.contains("npz cannot hold values; left out: args, b, best_acc, classes"))
    let narrow = try place.ckpt("convert", trainer, "a.npz", "--dtype", "bfloat16")
    #expect(narrow.errors.contains("npz has no bfloat16: other programs read '|V2'"))
    #expect(narrow.status == 0)
  }

  @Test func `--all keeps every part, through another format and back`() throws {
    #expect(try place.ckpt("convert", trainer, "all.ckz", "--all", "--quiet").status == 0)
    let list = try place.ckpt("ls", "all.ckz").output
    #expect(list.contains("state_dict.weight") && list.contains("optimizer.state.1.exp_avg_sq"))
    let back = try place.ckpt("convert", "all.ckz", "back.pt", "--all")
    #expect(back.status == 0)
    #expect(back.errors.contains("'args' is written without its class"))
    let again = try place.ckpt("convert", "back.pt", "again.ckz", "--all", "--quiet")
    #expect(again.status == 0)
    let diff = try place.ckpt("diff", "all.ckz", "again.ckz")
    #expect(diff.status == 0, "\(diff.output)")
    #expect(try place.ckpt("ls", "--keys", "back.pt").output.contains("optimizer"))
    let usage = try place.ckpt("convert", trainer, "x.pt", "--all", "--key", "optimizer")
    #expect(usage.status == 64)
  }

  @Test func `what only holds tensors is not a value of its own`() throws {
    let npz = try place.ckpt("convert", trainer, "all.npz", "--all")
    let lost = try #require(npz.errors.split(separator: "\n").first { $0.contains("left out: ") })
    #expect(!lost.contains("state_dict"))
    #expect(!lost.contains(", optimizer,") && lost.contains("optimizer.param_groups.0."))
    #expect(try place.ckpt("convert", trainer, "all.ckz", "--all", "-q").status == 0)
    let values = try place.ckpt("ls", "--values", "all.ckz").output
    #expect(!values.contains("dictionary") && values.contains("optimizer.param_groups.0.lr"))
    let diff = try place.ckpt("diff", trainer, "all.ckz", "--values").output
    #expect(!diff.contains("{}"))
    // Left out tensors leave nothing.
    #expect(
      try place.ckpt(
        "convert", trainer, "part.pt", "--all", "--match", "name:state_dict*", "-q"
      ).status == 0)
    #expect(try !place.ckpt("ls", "--keys", "part.pt").output.contains("optimizer"))
    #expect(try place.ckpt("show", "part.pt", "optimizer.state", "-q").status == 2)
  }

  @Test func `a copy of the same file keeps its parts without a word`() throws {
    let run = try place.ckpt("convert", trainer, "like.pt", "--like", trainer)
    #expect(run.status == 0)
    #expect(run.errors.hasSuffix("wrote like.pt: 2 tensors, 12 bytes\n"), "\(run.errors)")
    #expect(!run.errors.contains("reading") && !run.errors.contains("left out"))
    #expect(try place.ckpt("diff", trainer, "like.pt", "--values", "-q").status == 0)
  }

  private let rule = ["--rule", "Linear: weight=1, bias=1", "--match", "**"]

  private func reinit(_ options: String...) throws -> CommandRun {
    try CommandRun(
      [CommandRun.executable, "reinit", trainer] + rule + options, in: place.folder.path)
  }

  @Test(arguments: [".ckz", ".safetensors", ".npz"])
  func `reinit into another format names what it leaves out, before and when it writes`(
    _ ending: String
  ) throws {
    let note =
      "converting 'state_dict'; left out optimizer (6 tensors, 12 values), mixed (1 tensor, 1 value): keep the file's format for every part, or pass --key for another"
    let dry = try reinit("-o", "a" + ending, "--dry-run", "--json")
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(dry.errors.contains(note + "\n"))
    let losses = try JSON(dry.output)["losses"]
    #expect(losses?[0] == .text(note))
    #expect((losses?.count ?? 0) == (ending == ".npz" ? 2 : 1))
    let run = try reinit("-o", "a" + ending)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count { $0.contains(note) } == 1)
    #expect(try !place.ckpt("ls", "--values", "a" + ending).output.contains("optimizer"))
    let same = try reinit("--dry-run", "--json")
    #expect(try JSON(same.output)["losses"]?.count == 0)
  }

  @Test func `reinit that unties writes every part, nested as it was`() throws {
    let run = try reinit("--untie", "-o", "two.pt")
    #expect(run.status == 0, "\(run.errors)")
    #expect(!run.errors.contains("left out"))
    #expect(
      try place.ckpt("ls", "--keys", "two.pt").output
        == place.ckpt("ls", "--keys", trainer).output)
    #expect(
      try place.ckpt("diff", trainer, "two.pt", "--name-only", "-q").status == 1)
    let optimizer = try place.ckpt("diff", trainer, "two.pt", "--key", "optimizer", "--values")
    #expect(optimizer.status == 0, "\(optimizer.output)")
    #expect(try place.ckpt("show", "two.pt", "epoch", "-q").output == "3\n")
    #expect(try place.ckpt("verify", "two.pt", "-q").status == 0)
  }
}
