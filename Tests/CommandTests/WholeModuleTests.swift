import TestSupport
import Testing

/// Files of `torch.save(model)` and TorchScript, whose pickles hold the classes and arguments of every
/// module; `Tools/fixtures/make_whole.py` writes them.
@Suite struct WholeModuleTests {
  private func tree(_ file: String) throws -> [String] {
    let run = try Workplace().ckpt("tree", Fixtures.path("pytorch/" + file))
    #expect(run.status == 0, "\(run.errors)")
    return run.lines
  }

  @Test func `a whole module is printed as PyTorch prints it`() throws {
    let text = String(decoding: try Fixtures.bytes("pytorch/whole.txt"), as: UTF8.self)
    // What PyTorch does not print, and the initial values depend on, is added.
    let printed = text.replacing(
      "PReLU(num_parameters=1)", with: "PReLU(num_parameters=1, init=0.5)")
    let shown = try tree("whole.pt").dropLast().joined(separator: "\n") + "\n"
    #expect(shown == printed)
  }

  @Test func `a whole module as MODEL gives the values that PyTorch's constructor gives`() throws {
    let place = try Workplace()
    let path = Fixtures.path("pytorch/whole.pt")
    let run = try place.ckpt("init", path, "--seed", "5", "-o", "a.ckz")
    #expect(run.status == 0, "\(run.errors)")
    // The file was saved after `torch.manual_seed(5)` and the constructor.
    let diff = try place.ckpt("diff", path, "a.ckz")
    #expect(diff.status == 0, "\(diff.output)")
    #expect(try place.ckpt("ls", "a.ckz").lines.count == 85)
  }

  @Test func `classes select, redraw, and verify`() throws {
    let place = try Workplace()
    let path = Fixtures.path("pytorch/whole.pt")
    let listed = try place.ckpt("ls", path, "--match", "Conv2d").lines
    #expect(
      listed.compactMap { $0.split(separator: " ").first } == [
        "conv.weight", "same.weight", "same.bias", "3",
      ])
    #expect(
      try place.ckpt("reinit", path, "--match", "named & Linear", "--seed", "9", "-o", "a.pt")
        .errors.contains("redrew 5 of"))
    #expect(try place.ckpt("tree", "a.pt").output == place.ckpt("tree", path).output)
    #expect(try place.ckpt("verify", "a.pt").status == 0)
    #expect(try place.ckpt("verify", path, "--model", path, "--seed", "5").status == 0)
    #expect(try place.ckpt("convert", path, "a.safetensors").status == 0)
    // Only the pickle tells that one module stands at two places, which the last line counts once.
    #expect(
      try place.ckpt("tree", "a.safetensors").lines.dropLast()
        == place.ckpt("tree", path).lines.dropLast())
    // A subclass prints like its base, which a note tells.
    let same = try place.ckpt("reinit", path, "--match", "SameConv", "-o", "b.pt")
    #expect(same.status == 0)
    #expect(same.errors.contains("SameConv is not a torch.nn class; treated as Conv2d"))
  }

  @Test func `classes of other modules keep their names, and their tensors are not drawn`() throws {
    let lines = try tree("whole-blocks.pt")
    #expect(
      lines == [
        "Block(", "  (inner): Inner(",
        "    (linear): Linear(in_features=3, out_features=3, bias=False)", "  )",
        "  (fake): make_whole.Linear()", "  (absent): None", ")",
        "4 modules, 4 parameter tensors, 20 parameters",
      ])
    let place = try Workplace()
    let path = Fixtures.path("pytorch/whole-blocks.pt")
    let names = try place.ckpt("ls", path)
    #expect(
      names.lines.dropLast(2).map { $0.prefix { $0 != " " } } == [
        "kept", "inner.scale", "inner.linear.weight", "fake.weight",
      ])
    #expect(
      names.errors.contains(
        "'passing' and 2 more are left out: not in state_dict() (a plain attribute, or a buffer "
          + "that is not persistent)"))
    #expect(names.errors.contains("3 unrecognized classes or functions, first 'make_whole.Block'"))
    let redrawn = try place.ckpt("reinit", path, "--match", "fake", "-o", "a.pt")
    #expect(redrawn.status == 2 && redrawn.errors.contains("'fake.weight'"))
    #expect(try place.ckpt("ls", path, "--match", "Linear").lines.count == 3)
  }

  @Test(arguments: [
    ("whole-two.pt", ["Module(", "  (a): Block("]),
    (
      "whole-legacy.pt",
      [
        "Sequential(", "  (0): Linear(in_features=2, out_features=2, bias=True)",
        "  (1): BatchNorm1d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, "
          + "track_running_stats=True)",
      ]
    ),
    (
      "whole-graph.pt",
      [
        "GraphModule(", "  (conv): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))",
      ]
    ),
    (
      "whole-quantized.pt",
      [
        "Sequential(", "  (0): Quantize()", "  (1): QuantizedConvReLU2d(",
      ]
    ),
    (
      "scripted.pt",
      [
        "Traced(", "  (conv): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))",
        "  (norm): BatchNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, "
          + "track_running_stats=True)",
        "  (head): Linear(in_features=8, out_features=3, bias=True)",
        "  (slope): PReLU(num_parameters=1, init=0.5)", ")",
      ]
    ),
    // A trace keeps classes and no arguments.
    (
      "traced.pt",
      [
        "Traced(", "  (conv): Conv2d()", "  (norm): BatchNorm2d()", "  (head): Linear()",
        "  (slope): PReLU()", ")",
      ]
    ),
  ])
  func `every way of saving modules keeps their classes`(file: String, first: [String]) throws {
    #expect(Array(try tree(file).prefix(first.count)) == first)
  }

  @Test(arguments: [
    ("whole-dynamic.pt", "scripted-dynamic.pt"), ("whole-quantized.pt", "scripted-quantized.pt"),
  ])
  func `a scripted quantized module has the tensors of the unscripted one`(
    whole: String, scripted: String
  ) throws {
    let place = try Workplace()
    let listings = try [whole, scripted].map { file in
      let listed = try place.ckpt("ls", Fixtures.path("pytorch/" + file))
      #expect(listed.status == 0)
      return Set(listed.lines.dropLast().map { String($0.prefix { $0 != " " }) })
    }
    #expect(listings[0] == listings[1])
  }

  @Test func `the weights of a frozen module are the constants of its code`() throws {
    let place = try Workplace()
    let path = Fixtures.path("pytorch/frozen.pt")
    let listed = try place.ckpt("ls", path)
    #expect(listed.lines.first == "CONSTANTS.c0  F32  [2, 3]  24")
    #expect(listed.lines.count == 5 && listed.errors.contains("the module is frozen"))
    #expect(try place.ckpt("check", path).status == 0)
  }

  @Test func `a compiled module is the module that was compiled`() throws {
    let place = try Workplace()
    let path = Fixtures.path("pytorch/compiled.pt")
    let listed = try place.ckpt("ls", path)
    let names = listed.lines.dropLast().map { String($0.prefix { $0 != " " }) }
    #expect(names == ["_orig_mod.0.weight", "_orig_mod.0.bias"])
    #expect(
      Array(try tree("compiled.pt").prefix(3)) == [
        "OptimizedModule(", "  (_orig_mod): Sequential(",
        "    (0): Linear(in_features=3, out_features=2, bias=True)",
      ])
  }

  @Test func `the tensors of quantized modules are named as in state_dict()`() throws {
    let place = try Workplace()
    let listed = try place.ckpt("ls", Fixtures.path("pytorch/whole-quantized.pt"))
    let names = listed.lines.dropLast().map { String($0.prefix { $0 != " " }) }
    for name in [
      "0.scale", "1.weight", "1.weight.q_per_channel_axis", "1.bias",
      "4._packed_params._packed_params.0", "4._packed_params._packed_params.1",
    ] {
      #expect(names.contains(name), "\(name)")
    }
    #expect(!listed.errors.contains("unrecognized"))
  }

  @Test func `layers of a trace are drawn by their classes and tensors`() throws {
    let place = try Workplace()
    let (traced, scripted) = (
      Fixtures.path("pytorch/traced.pt"), Fixtures.path("pytorch/scripted.pt")
    )
    for (file, output) in [(traced, "a.ckz"), (scripted, "b.ckz")] {
      let run = try place.ckpt("reinit", file, "--match", "Conv2d | Linear", "-o", output)
      #expect(run.status == 0, "\(run.errors)")
      #expect(try place.ckpt("verify", output).status == 0)
    }
    let drawn = try place.ckpt("diff", "a.ckz", "b.ckz", "--match", "conv", "--match", "head")
    #expect(drawn.status == 0, "\(drawn.output)")
  }
}
