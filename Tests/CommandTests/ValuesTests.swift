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
    #expect(run.output == "2 identical\nvalues: 13 removed\n")
    let counted = try place.ckpt("diff", trainer, "b.ckz", "--values")
    #expect(counted.status == 1)
    #expect(counted.output.contains("\nvalue optimizer.param_groups.0.lr 0.01 removed\n"))
    let same = try place.ckpt("diff", "b.ckz", "b.ckz", "--values")
    #expect(same.status == 0 && same.output == "2 identical by stored digest\n")
  }

  @Test(arguments: [".ckz", ".h5", ".safetensors", ".gguf", ".pt"])
  func `convert carries values, typed, and reports the parts it leaves out`(
    _ ending: String
  ) throws {
    let run = try place.ckpt("convert", trainer, "a" + ending)
    #expect(run.status == 0)
    #expect(
      run.errors.contains(
        "left out optimizer (6 tensors, 12 values), mixed (1 tensor, 1 value); pass --all"))
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
}
