import CheckpointKit
import TensorCore
import TestSupport
import Testing

/// Scripts that torch ran, and the recipes that say the same: see `Tools/fixtures/make_recipes.py`.
@Suite struct RecipeFixtureTests {
  struct Program: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let recipe: String
    let files: [String: String]
    let sha256: [String: String]
    let near: [String: [Double]]
    let reinit: Redraw?

    /// What `reinit` does afterward, with the seed 3.
    struct Redraw: Decodable {
      let match: [String]
      let exclude: [String]
      let rules: [String]
      let order: String
    }

    var testDescription: String { name }

    func checkpoint() throws -> Checkpoint {
      var recipe = try Recipe(text: recipe) { file, extra in
        try Model(text: try #require(files[file]), extra: extra.flatMap { files[$0] })
      }
      if let reinit {
        var step = Reinitialization(
          match: try reinit.match.map { try Selector($0) },
          exclude: try reinit.exclude.map { try Selector($0) })
        step.rules = try reinit.rules.map { try Rule($0) }
        step.order = try #require(Rule.Order(rawValue: reinit.order))
        step.seed = Seed(3)
        recipe.steps.append(.reinitialize(step))
      }
      return try Recipe(json: recipe.json).plan().checkpoint
    }
  }

  static let programs =
    (try? Fixtures.json("recipes/recipes.json", as: [Program].self)) ?? []

  @Test func `there are at least 60 programs`() { #expect(Self.programs.count >= 60) }

  @Test(arguments: programs)
  func `a recipe gives the bytes of its script`(program: Program) throws {
    let entries = try program.checkpoint().entries
    #expect(
      Set(entries.map(\.name.text)) == Set(program.sha256.keys).union(program.near.keys))
    for entry in entries {
      if let wanted = program.near[entry.name.text] {
        var values: [Double] = []
        let bytes = try entry.allBytes()
        for index in 0..<entry.info.elementCount {
          values.append(entry.info.dtype.number(at: index, in: bytes))
        }
        #expect(values.count == wanted.count && !wanted.isEmpty)
        #expect(zip(values, wanted).allSatisfy { abs($0 - $1) < 5e-6 }, "\(entry.name)")
      } else {
        #expect("\(try entry.digest(.sha256))" == program.sha256[entry.name.text], "\(entry.name)")
      }
    }
  }

  @Test func `the article shows the programs that are tested`() throws {
    let path = "../Sources/CheckpointKit/CheckpointKit.docc/Recipes.md"
    let article = String(decoding: try Fixtures.bytes(path), as: UTF8.self)
    for program in Self.programs.prefix(8) {
      #expect(
        article.contains("### \(program.name)\n\n```\n\(program.recipe)\n```"), "\(program.name)")
    }
  }
}
