import FoundationEssentials
import TestSupport

/// An empty folder in which commands are run, gone after the test.
struct Workplace {
  let folder: TemporaryFolder

  /// Makes the folder with the article's net in it as `model.txt`.
  init() throws {
    folder = try TemporaryFolder()
    try folder.write(try Fixtures.bytes("models/article.txt"), to: "model.txt")
  }

  /// Runs `ckpt` here.
  @discardableResult
  func ckpt(_ arguments: String..., input: [UInt8] = []) throws -> CommandRun {
    try CommandRun([CommandRun.executable] + arguments, in: folder.path, input: input)
  }

  /// Runs a line of the shell here, in which `ckpt` is the command that was built.
  func shell(_ line: String) throws -> CommandRun {
    let command = CommandRun.quoted(CommandRun.executable)
    return try CommandRun(
      ["/bin/sh", "-c", "ckpt() { \(command) \"$@\"; }; \(line)"], in: folder.path)
  }

  /// Initializes the article's net as `name`.
  func makeArticle(_ name: String, _ options: String...) throws {
    let run = try CommandRun(
      [CommandRun.executable, "init", "model.txt", "-o", name] + options, in: folder.path)
    guard run.status == 0 else { throw Unexpected(text: run.errors) }
  }

  /// The lines `digest  dtype  shape  name` of a checkpoint.
  func manifest(_ name: String) throws -> [String] {
    try ckpt("hash", "--algorithm", "sha256", "--manifest", name).lines
  }

  /// The fingerprint of a checkpoint.
  func fingerprint(_ name: String) throws -> String {
    String(try ckpt("hash", name).output.prefix(64))
  }

  struct Unexpected: Error {
    let text: String
  }
}

/// One JSON document, looked into by key and index.
enum JSON: Decodable, Equatable {
  case null
  case truth(Bool)
  case number(Double)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  /// Parses all of a text.
  init(_ text: String) throws {
    self = try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
  }

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let truth = try? value.decode(Bool.self) {
      self = .truth(truth)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([JSON].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: JSON].self))
    }
  }

  subscript(_ key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  subscript(_ index: Int) -> JSON? {
    guard case .list(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The keys of an object, sorted.
  var keys: [String] {
    guard case .object(let members) = self else { return [] }
    return members.keys.sorted()
  }

  /// The number of elements of a list.
  var count: Int? {
    guard case .list(let elements) = self else { return nil }
    return elements.count
  }
}
