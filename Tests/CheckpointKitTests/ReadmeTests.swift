import CheckpointKit
import TestSupport
import Testing

/// The README's example, with the one import that it has.
@Suite struct ReadmeTests {
  @Test func `the library's example does what it says`() async throws {
    let folder = try TemporaryFolder()
    let Net = ModuleClass("Net")
    let net = Net(
      layer1: Linear(2, 4), relu1: ReLU(), layer2: Sequential(Linear(4, 2), ReLU(), Linear(2, 2)))
    let checkpoint = try net.initialized(seed: 0, rules: [Rule("Linear: bias=0")])
    try await CheckpointTarget(folder.path + "/net.ckz").write(checkpoint)

    let written = try CheckpointSource.open(folder.path + "/net.ckz").checkpoint
    #expect(written.entries.map(\.name) == checkpoint.entries.map(\.name))
    let diff = try await CheckpointDiff(from: checkpoint, to: written, threads: 1)
    #expect(diff.changes.isEmpty && diff.identical == 6)
    let bias = try #require(written.entries.first { $0.name == "layer1.bias" })
    #expect(try bias.allBytes().allSatisfy { $0 == 0 })
    #expect(try Module(labels: written.modules).description == net.description)
  }
}
