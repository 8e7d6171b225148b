import TestSupport
import Testing

/// Runs every `console` block of the README, in order and in one folder, and compares all that it shows.
///
/// A block is command lines after `$ `, each followed by its output; the folder has the files of
/// `Fixtures/tour`.
@Suite struct TourTests {
  private struct Step {
    var command: String
    var shown: [Substring] = []
  }

  @Test func `the README's tour shows what the commands print`() throws {
    let place = try Workplace()
    for name in [
      "net.txt", "init.pt", "epoch1.pt", "epoch2.pt", "parallel.pt", "diverged.pt",
    ] {
      try place.folder.write(try Fixtures.bytes("tour/\(name)"), to: name)
    }
    let text = String(decoding: try Fixtures.bytes("../README.md"), as: UTF8.self)
    let steps = Self.steps(text)
    #expect(steps.count >= 6)
    for step in steps {
      // A terminal shows both streams in the order of their lines.
      let run = try place.shell("{ \(step.command); } 2>&1")
      let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.trimmingSuffix(while: \.isWhitespace) }
      #expect(Array(lines.dropLast()) == step.shown, "\(step.command)\n\(run.output)")
      #expect(lines.allSatisfy { $0.count <= 200 }, "\(step.command)")
    }
  }

  private static func steps(_ text: String) -> [Step] {
    var steps: [Step] = []
    for block in text.split(separator: "```console\n").dropFirst() {
      let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
      for line in lines.prefix(while: { $0 != "```" }) {
        if line.hasPrefix("$ ") {
          steps.append(Step(command: String(line.dropFirst(2))))
        } else {
          steps[steps.count - 1].shown.append(line)
        }
      }
    }
    return steps
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> Substring {
    var text = self
    while let last = text.last, matches(last) { text.removeLast() }
    return text
  }
}
