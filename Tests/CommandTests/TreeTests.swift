import TestSupport
import Testing

@Suite struct TreeTests {
  /// A text that PyTorch printed, from any of the golden files.
  struct Printed: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let text: String
    var description: String { id }

    private enum CodingKeys: String, CodingKey { case id, repr, print }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decode(String.self, forKey: .id)
      text =
        try values.decodeIfPresent(String.self, forKey: .repr)
        ?? values.decode(String.self, forKey: .print)
    }

    static let all = ["article", "modules", "nets", "traversal"].flatMap {
      (try? Fixtures.cases("goldens/\($0).json", as: Printed.self)) ?? []
    }
  }

  @Test func `the goldens are there`() {
    #expect(Printed.all.count == 36 + 97 + 12 + 4)
  }

  @Test func `every text that PyTorch printed is printed back`() throws {
    let place = try Workplace()
    // Classes that torch made on the spot; what they own, no text shows.
    let extra = "class Leafy(Module)\nclass ParametrizedLinear(Module)\nclass _WeightNorm(Module)\n"
    try place.folder.write(Array(extra.utf8), to: "extra.txt")
    var seen: Set<String> = []
    for printed in Printed.all where seen.insert(printed.text).inserted {
      try place.folder.write(Array(printed.text.utf8), to: "net.txt")
      let run = try place.ckpt("tree", "net.txt", "--extra", "extra.txt", "--quiet")
      #expect(run.status == 0 && run.errors.isEmpty, "\(printed)")
      let tree = run.lines.dropLast().joined(separator: "\n")
      #expect(tree == printed.text.split(separator: "\n").joined(separator: "\n"), "\(printed)")
    }
    #expect(seen.count == 82)
  }

  @Test func `the total counts modules, tensors and elements`() throws {
    let run = try Workplace().ckpt("tree", "model.txt")
    #expect(run.lines.last == "7 modules, 6 parameter tensors, 28 parameters")
  }

  @Test func `tensors are listed with shapes and counts`() throws {
    let run = try Workplace().ckpt("tree", "model.txt", "--params")
    #expect(
      run.output.hasSuffix(
        """
        )

        layer1.weight    [4, 2]  8
        layer1.bias      [4]     4
        layer2.0.weight  [2, 4]  8
        layer2.0.bias    [2]     2
        layer2.2.weight  [2, 2]  4
        layer2.2.bias    [2]     2
        7 modules, 6 parameter tensors, 28 parameters

        """))
  }

  @Test func `a checkpoint's own tree is shown`() throws {
    let place = try Workplace()
    for file in ["a.h5", "a.ckz"] {
      try place.makeArticle(file)
      let run = try place.ckpt("tree", file)
      #expect(run.output == (try place.ckpt("tree", "model.txt").output))
      #expect(run.errors.isEmpty)
    }
  }

  @Test func `a tree is inferred for a file without one, with a note`() throws {
    let run = try Workplace().ckpt("tree", Fixtures.path("hdf5/nested.h5"))
    #expect(run.status == 0)
    #expect(run.errors.contains("nested.h5: has no module tree; "))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func `JSON is the model description, which is a model again`() throws {
    let place = try Workplace()
    let run = try place.shell("ckpt tree model.txt --json > model.json")
    #expect(run.status == 0)
    let json = try JSON(try place.ckpt("tree", "model.txt", "--json").output)
    #expect(json.keys == ["ckpt-model", "draws", "modules"])
    #expect(json["modules"]?[1]?["path"] == .text("layer1"))
    #expect(json["modules"]?[1]?["class"] == .text("Linear"))
    #expect(
      json["modules"]?[1]?["arguments"] == .text("in_features=2, out_features=4, bias=True"))
    let weight = json["modules"]?[1]?["parameters"]?[0]
    #expect(weight?["shape"] == .list([.number(4), .number(2)]))
    #expect(weight?["rule"] == .text("kaiming_uniform(a=2.23606797749979)"))
    #expect(json["draws"]?[0]?["fill"] == .text("layer1.weight"))
    #expect(
      try place.ckpt("tree", "model.json").output == place.ckpt("tree", "model.txt").output)
    #expect(
      try place.shell("ckpt init model.txt -o a.ckz && ckpt init model.json -o b.ckz").status == 0)
    #expect(try place.ckpt("diff", "a.ckz", "b.ckz").status == 0)
    #expect(try place.ckpt("verify", "b.ckz").status == 0)
    #expect(
      try place.ckpt("reinit", "b.ckz", "--match", "Linear", "--seed", "3", "-o", "c.ckz").status
        == 0)
    #expect(try place.ckpt("verify", "c.ckz").status == 0)
  }

  @Test func `standard input can be a model`() throws {
    let place = try Workplace()
    let run = try place.shell("ckpt tree - < model.txt")
    #expect(run.output == (try place.ckpt("tree", "model.txt").output))
  }

  @Test func `layers whose text hides tensors are named`() throws {
    let place = try Workplace()
    try place.folder.write(
      Array("Net(\n  (a): CNBlock(\n    (x): ReLU()\n  )\n)\n".utf8), to: "net.txt")
    let run = try place.ckpt("tree", "net.txt")
    #expect(run.errors.hasPrefix("ckpt: net.txt: "))
    #expect(run.errors.contains("a.layer_scale"))
  }

  @Test func `the tree of a Keras model is its description's`() throws {
    let place = try Workplace()
    for file in ["keras/net.keras", "keras/whole.h5"] {
      let run = try place.ckpt("tree", Fixtures.path(file))
      #expect(run.status == 0 && run.output.contains("(first): Dense(units=4, "), "\(file)")
      #expect(!run.errors.contains("module tree"), "\(file)")
    }
  }

  @Test func `what is read of pickled modules is reported`() throws {
    let place = try Workplace()
    let values = try place.ckpt("ls", "--values", Fixtures.path("pytorch/module.pt"))
    #expect(values.errors.contains("holds pickled modules: only tensors and classes are read"))
  }

  @Test func `the note on what was inferred is one line that fits a terminal`() throws {
    let place = try Workplace()
    let net = """
      Net(
        (a): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
        (b): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
        (c): ConvTranspose2d(4, 3, kernel_size=(2, 2), stride=(2, 2))
        (d): LSTM(3, 4)
        (e): GRU(3, 4)
        (f): LayerNorm((4,), eps=1e-05, elementwise_affine=True)
        (g): Linear(in_features=4, out_features=4, bias=True)
      )
      """
    try place.folder.write(Array(net.utf8), to: "net.txt")
    _ = try place.shell(
      "ckpt init net.txt -o a.npz -q && ckpt convert a.npz b.npz --rename s/^/m./ -q")
    let run = try place.ckpt("tree", "b.npz")
    #expect(run.errors.hasSuffix("more classes\n"))
    #expect(run.errors.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(run.errors)")
  }
}
