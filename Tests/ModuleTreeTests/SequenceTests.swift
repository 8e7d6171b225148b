import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct SequenceTests {
  /// Bare tensors as a side file has them, and torch's digests of what is drawn for them in turn.
  struct Sequence: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let path: String
    let seed: String
    let lines: [String]
    let sha256: [String]
    var description: String { id }
  }

  @Test(arguments: try Fixtures.cases("goldens-extra/sequences.json", as: Sequence.self))
  func `each draw leaves the generator where torch's next one begins`(golden: Sequence) throws {
    let sideFile = try SideFile(golden.lines.joined(separator: "\n"))
    let seed = try #require(UInt64(golden.seed))
    let cpuPath = try #require(CPUPath(rawValue: golden.path))
    var plan = try Initialization(
      of: Module(printed: "Net()", sideFile: sideFile),
      generator: Generator(seed: seed, cpuPath: cpuPath))
    try plan.construct()
    for (index, entry) in try plan.entries().enumerated() {
      #expect(try entry.digest() == golden.sha256[index], "\(golden.lines[index])")
    }
  }
}
