import TestSupport
import Testing

/// Runs every example of every command's help, each in a folder that has the files it names.
@Suite struct HelpExampleTests {
  private static let model = """
    Net(
      (conv1): Conv2d(3, 4, kernel_size=(7, 7), stride=(2, 2))
      (layer4): Sequential(
        (0): Linear(in_features=4, out_features=4, bias=True)
        (1): ReLU()
      )
      (fc): Linear(in_features=4, out_features=2, bias=True)
    )
    """
  private static let setup = """
    set -e
    cp model.txt gpt.txt
    for name in net.h5 net.ckz a.h5 b.h5 before.h5 big.ckz trained.h5 model.safetensors model.pt pytorch_model.bin plain.pt; do
      ckpt init model.txt -o $name -q
    done
    for name in after.ckz pretrained.h5; do ckpt init model.txt --seed 1 -o $name -q; done
    for name in w.pt wrapped.pt; do ckpt convert net.h5 $name --rename 's/^/net./' -q; done
    cp trainer.pt epoch3.pt; cp trainer.pt epoch7.pt
    ckpt convert net.keras net.pt --to-torch-layout -q
    mkdir out run
    for step in 1 2 3 7; do cp trainer.pt run/step$step.pt; done
    ckpt pack run/*.pt -o run.ckz -q
    cp trainer.pt monday.pt
    ckpt diff monday.pt epoch7.pt --patch patch.ckz -q
    ckpt init model.txt --parity 10 -o damaged.ckz -q
    """

  @Test(arguments: ["selectors", "rules", "models"])
  func `every example of a topic runs`(topic: String) throws {
    let place = try Workplace()
    try place.folder.write(Array(Self.model.utf8), to: "model.txt")
    let made = try place.shell(
      "mkdir out; ckpt init model.txt -o net.h5 -q; ckpt init model.txt -o model.h5 -q")
    try #require(made.status == 0, "\(made.errors)")
    let lines = try place.ckpt("help", topic).lines.map(\.trimmed)
    let start = try #require(lines.firstIndex(of: "EXAMPLES"))
    #expect(lines.count > start + 2)
    for example in lines[(start + 1)...] {
      let run = try place.shell(example)
      #expect(run.status == 0, "\(example): \(run.errors)")
    }
  }

  @Test(arguments: [
    "init", "tree", "ls", "stat", "show", "diff", "reinit", "verify", "convert", "hash", "check",
    "find-seed", "scan", "apply", "pack", "unpack", "repair", "report",
  ])
  func `every example of the help runs`(command: String) throws {
    let place = try Workplace()
    try place.folder.write(Array(Self.model.utf8), to: "model.txt")
    for (file, fixture) in [
      ("resnet18.txt", "models/resnet18.txt"), ("trainer.pt", "pytorch/training.pt"),
      ("net.keras", "keras/net.keras"),
      ("net.weights.h5", "keras/net.weights.h5"), ("model-Q4_K_M.gguf", "schemes/blocks.gguf"),
    ] {
      try place.folder.write(try Fixtures.bytes(fixture), to: file)
    }
    let made = try place.shell(Self.setup)
    try #require(made.status == 0, "\(made.errors)")
    let help = try place.ckpt(command, "--help").lines.map(\.trimmed)
    let start = try #require(help.firstIndex(of: "EXAMPLES"))
    let examples = help[(start + 1)...]
    #expect(!examples.isEmpty)
    for example in examples {
      // A line that is wrapped cannot be copied.
      #expect(example.hasPrefix("ckpt \(command) "), "\(example)")
      // Nothing is overwritten without being asked to.
      let words = example.split(separator: " ").map(String.init)
      let output = words.firstIndex(of: "-o").map { words[$0 + 1] } ?? words[3, default: ""]
      let removal = words.contains("-o") || command == "convert" ? "rm -f \(output); " : ""
      let run = try place.shell("\(removal)\(example)")
      let expected = example.hasPrefix("ckpt diff before.h5") ? 1 : 0
      #expect(run.status == expected, "\(example): \(run.errors)")
      #expect(!run.errors.contains("ckpt: Error"), "\(example)")
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " })
  }
}

extension Array {
  fileprivate subscript(index: Int, default value: Element) -> Element {
    indices.contains(index) ? self[index] : value
  }
}
