import HDF5Oracle
import TestSupport
import Testing

/// Keras's files through the command.
@Suite struct KerasTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    for file in ["net.keras", "net.weights.h5", "recurrent.weights.h5"] {
      try place.folder.write(try Fixtures.bytes("keras/" + file), to: file)
    }
  }

  @Test func `names are Keras's, the optimizer is a part of its own`() throws {
    let run = try place.ckpt("ls", "net.keras")
    #expect(run.status == 0)
    #expect(
      run.lines.prefix(2).map { $0.prefix { $0 != " " } } == [
        "layers/batch_normalization/vars/0", "layers/batch_normalization/vars/1",
      ])
    #expect(
      run.errors
        == "ckpt: net.keras: reading 'model'; the file also holds optimizer (12 tensors): use --key to select it\n"
    )
    let parts = try place.ckpt("ls", "--keys", "net.keras")
    #expect(parts.lines.map { $0.prefix { $0 != " " } } == ["model", "optimizer"])
    let part = try place.ckpt("ls", "net.keras", "--key", "optimizer")
    #expect(part.status == 0 && part.errors.isEmpty)
    #expect(part.lines.first?.hasPrefix("optimizer/vars/0") == true)
    #expect(try place.fingerprint("net.keras") == place.fingerprint("net.weights.h5"))
  }

  @Test func `--all takes the optimizer along`() throws {
    let run = try place.ckpt("convert", "net.keras", "all.ckz", "--all")
    #expect(run.status == 0)
    #expect(run.errors.hasPrefix("wrote all.ckz: 24 tensors"), "\(run.errors)")
    let list = try place.ckpt("ls", "all.ckz").output
    #expect(list.hasPrefix("model.layers/batch_normalization/vars/0"))
    #expect(list.contains("\noptimizer.optimizer/vars/0"))
    #expect(list.hasSuffix("also holds: config.json, metadata.json; --values lists them\n"))
    let part = try place.ckpt("convert", "net.keras", "part.ckz")
    #expect(
      part.errors.contains(
        "net.keras: converting 'model'; left out optimizer (12 tensors): pass --all for every part, --key for another\n"
      ))
  }

  @Test func `to PyTorch's layout and back into the structure, only the provenance is new`() throws
  {
    let there = try place.ckpt(
      "convert", "net.weights.h5", "net.ckz", "--to-torch-layout", "--quiet")
    #expect(there.status == 0, "\(there.errors)")
    #expect(
      try place.ckpt("ls", "net.ckz").lines.dropLast().map { $0.prefix { $0 != " " } } == [
        "batch_normalization.weight", "batch_normalization.bias",
        "batch_normalization.running_mean", "batch_normalization.running_var", "stem.weight",
        "stem.bias", "tête.weight", "tête.bias", "encoder.first.weight", "encoder.first.bias",
        "encoder.dense.weight", "encoder.dense.bias",
      ])
    #expect(try place.ckpt("tree", "net.ckz").output.contains("(stem): Conv2d(2?, 3"))
    let back = try place.ckpt(
      "convert", "net.ckz", "out.weights.h5", "--to-keras-layout", "--like", "net.weights.h5",
      "--quiet")
    #expect(back.status == 0, "\(back.errors)")
    let (old, new) = (
      try LibraryContent(path: place.folder.file("net.weights.h5")).facts,
      try LibraryContent(path: place.folder.file("out.weights.h5")).facts
    )
    #expect(Set(old.keys).union(new.keys).filter { old[$0] != new[$0] } == ["@provenance"])
  }

  @Test func `padding and refusals are reported`() throws {
    let run = try place.ckpt("convert", "recurrent.weights.h5", "r.ckz", "--to-torch-layout")
    #expect(run.status == 0)
    #expect(
      run.errors
        == "ckpt: recurrent.weights.h5: the second bias of 'lstm', 'simple' is zero: Keras has one, PyTorch adds two\n"
        + "wrote r.ckz: 18 tensors, 1,124 bytes (1.1 KiB)\n")
    let new = try place.ckpt("convert", "net.keras", "new.weights.h5")
    #expect(new.status == 2)
    #expect(
      new.errors
        == "ckpt: new.weights.h5: keras files can only be written into a copy of a template; pass --like FILE\n"
    )
    let other = try place.ckpt("convert", "net.keras", "new.ckz", "--like", "net.weights.h5")
    #expect(other.status == 64)
    #expect(try place.ckpt("convert", "r.ckz", "x.ckz", "--to-torch-layout").status == 2)
    #expect(
      try place.ckpt("convert", "r.ckz", "x.ckz", "--to-torch-layout", "--to-keras-layout").status
        == 64)
  }

  @Test func `weights are drawn anew in place`() throws {
    let before = try place.manifest("net.weights.h5")
    let run = try place.ckpt(
      "reinit", "net.weights.h5", "--in-place", "--match", "layers/conv2d/*/0", "--rule",
      "*: kernel=0.5", "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    let after = try place.manifest("net.weights.h5")
    let changed = zip(before, after).filter { $0 != $1 }.map { $0.1 }
    #expect(changed.count == 1 && changed[0].hasSuffix("layers/conv2d/vars/0"))
  }

  @Test(arguments: ["base.keras", "base.h5"])
  func `classes and names select, in the tree's spelling and in the file's`(file: String) throws {
    try place.folder.write(try Fixtures.bytes("keras-models/" + file), to: file)
    func names(_ selector: String) throws -> [String] {
      try place.ckpt("ls", file, "--match", selector, "--json", "--quiet").output
        .split(separator: "\"").map(String.init).filter {
          $0.hasSuffix("/0") || $0.contains("kernel")
        }
    }
    let kernels =
      file == "base.h5"
      ? ["block1_conv1/kernel", "block1_conv2/kernel", "sequential/top/kernel"]
      : ["conv2d/vars/0", "conv2d_1/vars/0"].map { "layers/functional/layers/" + $0 }
        + ["layers/dense/vars/0"]
    let tensors = try names("*.kernel")
    #expect(Set(tensors) == Set(kernels))
    #expect(try names("Conv2D") == Array(kernels.prefix(2)))
    #expect(try names("Dense") == [kernels[2]])
    #expect(try names("vgg16") == Array(kernels.prefix(2)))
    #expect(try names("name:" + kernels[0]) == [kernels[0]])
    #expect(try names("!Conv2D & *.kernel") == [kernels[2]])
  }

  @Test(arguments: ["base.keras", "base.h5"])
  func `Keras's own draws are refused by name, and a rule draws instead`(file: String) throws {
    try place.folder.write(try Fixtures.bytes("keras-models/" + file), to: file)
    let refused = try place.ckpt("reinit", file, "--match", "Conv2D", "-o", "new.ckz")
    #expect(refused.status == 2)
    #expect(
      refused.errors
        == "ckpt: \(file): tensor 'vgg16.block1_conv1.kernel': drawn by Keras's GlorotUniform, which is not "
        + "reproduced here; reinitialize it in Keras, or give its values by --rule\n")
    let before = try place.manifest(file)
    let run = try place.ckpt(
      "reinit", file, "--match", "Conv2D", "--rule", "Conv2D: kernel=normal(0, 0.1)", "--in-place",
      "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    // Biases are zeros to Keras as well.
    #expect(zip(before, try place.manifest(file)).count { $0 != $1 } == 4)
    let verified = try place.ckpt("verify", file)
    #expect(verified.status == 0, "\(verified.errors)")
    #expect(
      verified.output.contains(
        "verified: 4 tensors are identical; 2 tensors are not covered by the recipe"))
    let copied = try place.ckpt(
      "reinit", file, "--match", "top", "--from", Fixtures.path("keras-models/base.keras"),
      "--in-place",
      "--quiet")
    #expect(copied.status == 0, "\(copied.errors)")
    #expect(try place.ckpt("verify", file).status == 0)
    let fans = try place.ckpt(
      "reinit", file, "--match", "top", "--rule", "Dense: kernel=kaiming_uniform", "--dry-run")
    #expect(fans.errors.contains("fans are counted as torch.nn.init counts them"))
  }

  @Test func `the model of a Keras file cannot be drawn, and its initializers are named`() throws {
    try place.folder.write(try Fixtures.bytes("keras-models/base.keras"), to: "base.keras")
    let run = try place.ckpt("init", "base.keras", "-o", "x.ckz")
    #expect(run.status == 2)
    #expect(
      run.errors.contains("3 tensors have no known initial values: 'vgg16.block1_conv1.kernel'"))
    #expect(run.errors.contains("(drawn by Keras's GlorotUniform"))
    let ruled = try place.ckpt(
      "init", "base.keras", "--rule", "*: kernel=uniform(-1, 1)", "-o", "x.ckz", "--quiet")
    #expect(ruled.status == 0, "\(ruled.errors)")
    #expect(try place.ckpt("verify", "x.ckz").status == 0)
  }

  @Test func `a description that cannot be read is an error of one line`() throws {
    try place.folder.write(try Fixtures.bytes("keras-models/base.h5"), to: "bad.h5")
    // The text is longer than what is changed in it.
    var bytes = try Fixtures.bytes("keras-models/base.h5")
    let key = Array("\"class_name\"".utf8)
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: key) })
    bytes[start] = UInt8(ascii: "}")
    try place.folder.write(bytes, to: "bad.h5")
    for run in [
      try place.ckpt("tree", "bad.h5"), try place.ckpt("ls", "bad.h5", "--match", "Dense"),
    ] {
      #expect(run.status == 2 && run.lines.isEmpty)
      #expect(run.errors.hasPrefix("ckpt: bad.h5: model_config, byte "), "\(run.errors)")
      #expect(run.errors.count { $0 == "\n" } == 1)
    }
    #expect(try place.ckpt("ls", "bad.h5").status == 0)
  }
}
