import ArgumentParser
import CheckpointKit
import Glibc
import JSONText

/// Options that every command takes.
struct CommonOptions: ParsableArguments {
  /// Most tasks at once: each holds buffers of a few MiB, and more would not be faster.
  static let maxThreads = 1024

  @Option(name: .long, help: "Number of worker threads; results do not depend on it.")
  var threads: Int = min(World.threads, maxThreads)

  @Flag(name: .shortAndLong, help: "Print no notes or progress on standard error.")
  var quiet = false

  @Flag(
    name: .long,
    help: "Allow files that claim far more data than they hold, and tensors that need much memory.")
  var allowLarge = false

  mutating func validate() throws {
    guard (1...Self.maxThreads).contains(threads) else {
      throw ValidationError("--threads: expected 1 to \(Self.maxThreads), found \(threads)")
    }
  }

  /// Prints a note on standard error, unless `--quiet` is given.
  func note(_ text: String) {
    if !quiet { StandardError().note(text) }
  }

  /// Prints the one line about a file that was written, unless `--quiet` is given.
  ///
  /// Bytes are those of the tensors, tied ones counted once, as `ckpt ls` has them.
  func wrote(_ path: String, _ details: [String]) {
    if quiet { return }
    let name = path == "-" ? "standard output" : path.escapingControls
    let text = "wrote \(name): \(details.joined(separator: ", "))"
    let width = StandardError.isTerminal ? Terminal.columns : nil
    for line in width.map({ text.wrappedAtSpaces(to: $0) }) ?? [text] {
      StandardError().write("\(line)\n")
    }
  }

  /// Prints notes about one file.
  func notes(on path: String) -> (String) -> Void {
    { note("\(displayPath(path).escapingControls): \($0)") }
  }

  /// Prints what went wrong with one file although it was written, `--quiet` or not.
  func warnings(on path: String) -> (String) -> Void {
    { StandardError().note("\(displayPath(path).escapingControls): \($0)") }
  }
}

/// A command that takes the common options.
protocol CommonCommand {
  var common: CommonOptions { get }
}

/// Options of commands that read a checkpoint.
struct InputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read this part of a file that holds several, such as a training checkpoint; 'ckpt ls --keys' lists them.",
      valueName: "key"))
  var key: String?

  /// Opens a checkpoint and says what no tensor of it shows; `readsValues` is false for a command that
  /// lists it, `all` true for one that takes every part, `notesParts` false for one that speaks of them.
  func open(
    _ path: String, _ common: CommonOptions, readsValues: Bool = true, all: Bool = false,
    notesParts: Bool = true
  ) throws -> CheckpointSource {
    try open(.checkpoint(path), common, readsValues: readsValues, all: all, notesParts: notesParts)
  }

  /// The same for what is open already.
  func open(
    _ probe: FileProbe, _ common: CommonOptions, readsValues: Bool = true, all: Bool = false,
    notesParts: Bool = true
  ) throws -> CheckpointSource {
    let source = try openAny(probe, common, readsValues, all: all, notesParts: notesParts)
    if key != nil { try requireParts(source) }
    return source
  }

  /// Opens two checkpoints; `--key` applies to those that have parts, and `all` takes every part.
  func open(
    _ first: String, _ second: String, _ common: CommonOptions, all: Bool = false
  ) throws -> (CheckpointSource, CheckpointSource) {
    let sources = (
      try openAny(.checkpoint(first), common, all: all, notesParts: !all),
      try openAny(.checkpoint(second), common, all: all, notesParts: !all)
    )
    if key != nil, sources.1.parts.isEmpty { try requireParts(sources.0) }
    return sources
  }

  private func openAny(
    _ probe: FileProbe, _ common: CommonOptions, _ readsValues: Bool = true, all: Bool = false,
    notesParts: Bool = true
  ) throws -> CheckpointSource {
    var options = OpenOptions(key: key, threads: common.threads, readsValues: readsValues)
    options.readsAllParts = all
    options.notesParts = notesParts
    return try CheckpointSource.open(probe, options: options, notes: common.note)
  }

  private func requireParts(_ source: CheckpointSource) throws {
    guard source.parts.isEmpty else { return }
    throw CheckpointError(
      .missing, "holds only one checkpoint; remove --key",
      path: displayPath(source.path))
  }
}

/// The path as errors show it: `standard input` for `-`.
func displayPath(_ path: String) -> String { path == "-" ? "standard input" : path }

/// Runs `body` and adds `path` to errors that name no file.
func naming<Result>(_ path: String?, _ body: () throws -> Result) throws -> Result {
  try CheckpointError.placing(path: path.map(displayPath), body)
}

/// Runs `body` and adds `path` to errors that name no file.
func naming<Result>(_ path: String?, _ body: () async throws -> Result) async throws -> Result {
  do {
    return try await body()
  } catch let error as CheckpointError {
    throw error.adding(path: path.map(displayPath))
  }
}

/// Checks options before any file is touched, so that mistakes in them are wrong usage.
func checkingUsage(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as CheckpointError {
    throw ValidationError(error.description)
  }
}

extension Checkpoint {
  /// How many tensors and how many bytes of them, tied ones counted once: what `ckpt ls` ends with.
  var counts: [String] {
    let bytes = entries.filter { $0.alias == nil }.map(\.info.byteCount).saturatedSum()
    return [entries.count.pluralized("tensor"), bytes.byteCountText]
  }
}

/// Options of commands that print a report.
struct ReportOptions: ParsableArguments {
  @Flag(name: .long, help: "Print one JSON document instead of text.")
  var json = false

  @Flag(help: "Print long results without a pager.")
  var noPager = false
}

/// A command that prints a report, through a pager where it is longer than the terminal.
protocol ReportCommand: CommonCommand {
  var report: ReportOptions { get }
}

/// Options of commands that work on selected tensors.
struct SelectionOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Select tensors: by class, name, glob, or /regex/. Linear and Conv* are layer classes, layer2 is a container, *.bias a glob on names (* crosses dots); & | ! ( ) combine them, and kind: and name: tell classes from names. May be repeated; a tensor matches if any selector does.",
      valueName: "selector"), completion: .tensorNames)
  var match: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Leave out tensors that the selector matches. May be repeated.", valueName: "selector"),
    completion: .tensorNames)
  var exclude: [String] = []

  @Option(
    help: ArgumentHelp(
      "Take module classes from this model. Default: the checkpoint's own, else inferred.",
      valueName: "model"), completion: .file())
  var model: String?

  func validate() throws {
    try checkingUsage { _ = try Selection(match: match, exclude: exclude) }
  }

  /// The selection, with its model read.
  var selection: Selection {
    get throws {
      try Selection(match: match, exclude: exclude, model: model.map { try Model(file: $0) })
    }
  }
}

extension String {
  /// The part of a path from its last dot on; the whole of one without a dot.
  var ending: Substring { self[(utf8.lastIndex(of: UInt8(ascii: ".")) ?? startIndex)...] }
}

extension CheckpointTarget {
  /// Writes with a progress bar, and says what of a checkpoint the format cannot hold.
  func write(_ checkpoint: Checkpoint, to path: String, showing common: CommonOptions) async throws
  {
    format.capabilities.losses(of: checkpoint, options, format: format.name)
      .forEach(common.notes(on: path))
    try await write(checkpoint, showing: common)
  }

  /// Writes with a progress bar.
  func write(_ checkpoint: Checkpoint, showing common: CommonOptions) async throws {
    let progress = Progress(reading: checkpoint.entries, quiet: common.quiet)
    defer { progress.finish() }
    try await write(progress.tracking(checkpoint))
  }
}

extension ShardedTarget {
  /// Writes with a progress bar.
  func write(_ checkpoint: Checkpoint, showing common: CommonOptions) async throws -> Written {
    let progress = Progress(reading: checkpoint.entries, quiet: common.quiet)
    defer { progress.finish() }
    return try await write(progress.tracking(checkpoint))
  }
}

/// A report as JSON: keys sorted, two spaces of indentation per level, paths as messages show them.
func jsonText(_ report: some Encodable) throws -> String {
  try report.jsonText(isIndented: true).showingBytes("\\\\x")
}
