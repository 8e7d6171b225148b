import ArgumentParser
package import CheckpointKit

/// Reading and writing checkpoints with the command's options.
extension Embedded {
  /// An opened checkpoint.
  package struct File: Sendable {
    /// The tensors, not yet read, and what else the file holds.
    package var checkpoint: Checkpoint
    /// The name of its format.
    package let format: String
    /// Remarks for users, one sentence each.
    package var notes: [String]
  }

  /// The options of `convert` that say what is read, and how.
  private struct Reading: ParsableArguments {
    @OptionGroup var selection: SelectionOptions
    @Option var dtype: String?
    @Flag var raw = false
    @OptionGroup var renaming: RenameOptions
    @Option var map: String?
    @Flag var all = false
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      if raw, dtype == nil { throw ValidationError("--raw belongs to --dtype") }
      if all, inputs.key != nil { throw ValidationError("--all and --key exclude each other") }
      try checkingUsage { _ = try dtype.map { try Recipe.floatingPoint(named: $0) } }
    }

    /// Whether the tensors are not just those of the file.
    var changesAnything: Bool {
      dtype != nil || map != nil || !renaming.rename.isEmpty || !selection.match.isEmpty
        || !selection.exclude.isEmpty
    }
  }

  /// Opens a checkpoint of any format as the options of `convert` say.
  ///
  /// - Throws: ``UsageError`` or `CheckpointError`.
  package static func open(_ path: String, options: [String] = []) throws -> File {
    try refuseStreams([path])
    if options.isEmpty {
      var notes: [String] = []
      let source = try CheckpointSource.open(path, notes: { notes.append($0) })
      return File(
        checkpoint: source.opened.withoutClaims, format: source.format.name, notes: notes)
    }
    return try capturing { capture in
      let options = try parse(Reading.self, options)
      return try Budget.$current.withValue(options.common.allowLarge ? .unlimited : .standard) {
        let source = try options.inputs.open(path, options.common, all: options.all)
        var file = File(
          checkpoint: source.opened.withoutClaims, format: source.format.name, notes: [])
        if options.changesAnything {
          var conversion = Conversion(try options.selection.selection)
          conversion.names = try options.renaming.names(map: options.map)
          conversion.dtype = try options.dtype.map { try Recipe.floatingPoint(named: $0) }
          conversion.castsStored = options.raw
          let result = try naming(path) { try conversion.applied(to: source.opened) }
          file.checkpoint = result.checkpoint
          result.notes.forEach(options.common.notes(on: path))
        }
        file.notes = capture.lines
        return file
      }
    }
  }

  /// Describes what `init` would write; the values are drawn when they are read.
  ///
  /// - Throws: ``UsageError`` or `CheckpointError`.
  package static func open(model path: String, options: [String]) throws -> File {
    try capturing { capture in
      let command = try parse(Ckpt.Init.self, ["--output", "model.ckz"] + options + ["--", path])
      return try Budget.$current.withValue(command.common.allowLarge ? .unlimited : .standard) {
        let plan = try command.plan().0
        return File(checkpoint: plan.checkpoint, format: "recipe", notes: capture.lines)
      }
    }
  }

  /// The options of commands that write.
  private struct Writing: ParsableArguments {
    @OptionGroup var target: OutputOptions
    @Flag var nest = false
    @OptionGroup var common: CommonOptions
  }

  /// Writes a checkpoint as options of `convert` say; with `--nest`, tensors are nested by their dotted
  /// names where the format can.
  ///
  /// - Returns: what the format cannot hold, one sentence each.
  /// - Throws: ``UsageError``, `CheckpointError`, or `CancellationError`.
  package static func write(
    _ checkpoint: Checkpoint, to path: String, options: [String], progress: Progress? = nil
  ) async throws -> [String] {
    let capture = Capture(progress: progress)
    return try await Capture.$current.withValue(capture) {
      let options = try parse(Writing.self, options)
      do {
        guard path != "-" else { throw UsageError(message: "expected the path of a file") }
        var target = try options.target.target(path, options.common)
        target.options.nests = options.nest
        try await target.write(checkpoint, to: path, showing: options.common)
      } catch {
        throw translated(error, Ckpt.message(for: error))
      }
      return capture.lines
    }
  }

  private static func capturing<Result>(_ body: (Capture) throws -> Result) throws -> Result {
    let capture = Capture(progress: nil)
    return try Capture.$current.withValue(capture) {
      do {
        return try body(capture)
      } catch {
        throw translated(error, Ckpt.message(for: error))
      }
    }
  }
}

extension Capture {
  /// The notes, one each.
  fileprivate var lines: [String] { notes.split(separator: "\n").map(String.init) }
}

extension Opened {
  /// The checkpoint with ties that the file only claims taken for tensors of their own.
  fileprivate var withoutClaims: Checkpoint {
    var checkpoint = checkpoint
    if claimedTies.isEmpty { return checkpoint }
    for index in checkpoint.entries.indices
    where claimedTies.contains(checkpoint.entries[index].name) {
      checkpoint.entries[index].alias = nil
    }
    return checkpoint
  }
}
