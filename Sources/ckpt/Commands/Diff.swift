import ArgumentParser
import CheckpointKit

extension Ckpt {
  struct Diff: AsyncParsableCommand, CommonCommand, SharedCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare two checkpoints value by value, in any formats.",
      discussion: """
        Reports what was added, removed, renamed (equal bytes under another name), reshaped, retyped, \
        and changed; for changed tensors how many elements, how many of them became NaN or infinite, the \
        largest absolute difference, the relative L2 norm of the difference ('-' where the first tensor is \
        all zero), and, up to 256, the largest distance in units in the last place. In JSON, numbers that \
        are not finite are "NaN" and "Infinity", and null is a measure without a meaning. \
        Without a tolerance, equal means bit for bit; where both files store a digest of a tensor (.ckz), \
        equal digests count as equal bytes, and the last line says so; --full reads the data. Exit status 1 if \
        they differ, 2 if all that can be read is equal but some tensors cannot be (--exclude leaves them out). What else the files \
        hold, such as epochs and learning rates, is compared in one line and counts only with --values.

        Tensors are paired by name. A prefix that all names of one file have (module., _orig_mod., \
        model.) is left out and noted; --rename and --map pair other names. --quiet prints no result \
        either, only the exit status tells.

        EXAMPLES
          ckpt diff before.h5 after.ckz
          ckpt diff a.h5 b.h5 --rtol 1e-5 --atol 1e-8 --match Linear
          ckpt diff a.h5 b.h5 --name-only
          ckpt diff -q a.h5 b.h5 && echo equal
          ckpt diff plain.pt wrapped.pt --rename 's/^net\\.//'
          ckpt diff epoch3.pt epoch7.pt --values
          ckpt diff epoch3.pt epoch7.pt --patch epoch7-patch.ckz
        """)

    @Argument(help: "A checkpoint; '-' for standard input.", completion: .file()) var first: String
    @Argument(help: "The other checkpoint. Either argument may be '-'.", completion: .file())
    var second: String
    @Option(
      parsing: .unconditional,
      help: "Relative tolerance: |a - b| ≤ atol + rtol · |b| counts as equal.")
    var rtol = 0.0
    @Option(parsing: .unconditional, help: "Absolute tolerance.") var atol = 0.0
    @Option(
      help: ArgumentHelp(
        "File of renamed tensors, one 'first name = second name' per line.", valueName: "file"),
      completion: .file())
    var map: String?
    @OptionGroup var renaming: RenameOptions
    @Option(
      help: ArgumentHelp(
        "Also write a patch that makes the second file of the first, for 'ckpt apply'; it covers whole files, with every part and value.",
        valueName: "file"), completion: .file())
    var patch: String?
    @Flag(help: "With --patch, replace an existing file.") var force = false
    @Flag(help: "Read all data, even where both files store a digest of it.") var full = false
    @Flag(help: "Print only the names that differ, one per line.")
    var nameOnly = false
    @Flag(help: "Print the share of changed elements as a bar, then the summary.") var stat = false
    @Flag(
      help: "Also list each change of a value that is not a tensor, and count it as a difference.")
    var values = false
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var inputs: InputOptions
    @OptionGroup var common: CommonOptions

    var isShared: Bool { first != "-" && second != "-" && patch == nil }

    func validate() throws {
      guard rtol >= 0, atol >= 0, rtol.isFinite, atol.isFinite else {
        throw ValidationError("--rtol and --atol: expected finite numbers of 0 or more")
      }
      guard first != "-" || second != "-" else {
        throw ValidationError("standard input ('-') may be given only once")
      }
      try validatePatch()
    }

    func run() async throws {
      let selection = try selection.selection
      let names = try renaming.names(map: map)
      if let patch { _ = try patchTarget(patch) }
      let sources = try inputs.open(first, second, common, all: patch != nil)
      if let patch { try refuseReadFile(patch) }
      try naming(first) {
        try renaming.requireMatches(among: [sources.0.checkpoint, sources.1.checkpoint], and: nil)
      }
      let pairing = try NamePairing(sources.0.checkpoint, sources.1.checkpoint, names: names)
      notePrefix(pairing)
      let (left, right) = try naming(first) {
        try selection.pair(
          sources.0.checkpoint, sources.1.checkpoint, pairing: pairing,
          notes: common.notes(on: first))
      }
      let progress = Progress(reading: full ? left.unsummed : left.entries, quiet: common.quiet)
      let diff = try await CheckpointDiff(
        from: progress.tracking(left), to: right, map: pairing.partners,
        tolerance: .init(relative: rtol, absolute: atol), threads: common.threads)
      progress.finish()
      if let patch { try await write(patch, sources, pairing) }
      let unread = Set(left.leftOut.keys).union(right.leftOut.keys).sorted()
      let valueDiff = ValueDiff(from: sources.0.checkpoint, to: sources.1.checkpoint)
      var output = StandardOutput()
      let notCompared = unread.first.map { name in
        "\(unread.count.pluralized("tensor")) not compared, which cannot be read"
          + " (first: '\(name.text)')".escapingControls
      }
      if common.quiet {
        // The exit status is the answer; that some have none is not left unsaid.
        if let notCompared { StandardError().note(notCompared) }
      } else if nameOnly {
        for change in diff.changes { try output.line(change.name.text.escapingControls) }
      } else if report.json {
        try output.line(
          try jsonText(
            Report(
              first: first, second: second, diff: diff, values: valueDiff, pairing: pairing,
              notCompared: unread.isEmpty ? nil : unread.map(\.text))))
      } else {
        for line in stat ? bars(diff) : details(diff, names) { try output.line(line) }
        try output.line(diff.summary)
        if let notCompared { try output.line(notCompared) }
        if values {
          for change in valueDiff.changes { try output.line("value \(change.text)") }
        } else if let line = valueDiff.summary {
          try output.line(line)
        }
      }
      try output.flush()
      if !diff.changes.isEmpty || values && !valueDiff.changes.isEmpty { throw ExitCode(1) }
      if !unread.isEmpty { throw ExitCode(2) }
    }

    private func notePrefix(_ pairing: NamePairing) {
      if !pairing.secondPrefix.isEmpty {
        common.notes(on: second)(pairing.inverted.note(of: displayPath(first)))
      } else if pairing.hasPrefix {
        common.notes(on: first)(pairing.note(of: displayPath(second)))
      }
    }

    private func details(_ diff: CheckpointDiff, _ names: NameMap) -> [String] {
      var table = Table(.left, .left, .left, .left)
      for change in diff.changes {
        // What --rename or a prefix says of all names is not said again of each.
        let isSaid = change.kind != .renamed && names.names[change.name] == nil
        let name =
          change.name.text.escapingControls
          + (isSaid ? "" : change.newName.map { " → \($0.text.escapingControls)" } ?? "")
        table.add(mark(change.kind), name, shapes(change), measures(change))
      }
      for tie in diff.tied {
        table.add(
          "=", tie.name.text.escapingControls,
          "tied to \(tie.original.text.escapingControls) in \(displayPath(tie.isInSecond ? second : first).escapingControls)"
        )
      }
      return table.lines.map { line in
        switch line.first {
        case "+": Style.green(line)
        case "-": Style.red(line)
        default: line
        }
      }
    }

    private func mark(_ kind: CheckpointDiff.Change.Kind) -> String {
      switch kind {
      case .added: "+"
      case .removed: "-"
      case .renamed: ">"
      case .reshaped, .retyped: "!"
      case .changed: "~"
      }
    }

    private func shapes(_ change: CheckpointDiff.Change) -> String {
      func text(_ info: TensorInfo) -> String { "\(info.dtype.rawValue) \(info.shape)" }
      switch (change.old, change.new) {
      case (let old?, let new?): return old == new ? text(old) : "\(text(old)) → \(text(new))"
      case (let only?, nil), (nil, let only?): return text(only)
      case (nil, nil): return ""
      }
    }

    private func measures(_ change: CheckpointDiff.Change) -> String {
      guard let difference = change.difference else { return "" }
      if difference.differing == 0 {
        return rtol > 0 || atol > 0 ? "values within the tolerance" : "values equal"
      }
      return difference.measures
    }

    private func bars(_ diff: CheckpointDiff) -> [String] {
      var table = Table(.left, .left, .right, .left)
      for change in diff.changes {
        let elements = change.difference?.elements ?? (change.new ?? change.old)?.elementCount ?? 0
        let differing = change.difference?.differing ?? (change.kind == .renamed ? 0 : elements)
        let width = elements > 0 ? (differing * 20 + elements - 1) / elements : 0
        table.add(
          mark(change.kind), change.name.text.escapingControls, differing.grouped,
          "|" + String(repeating: "#", count: width) + String(repeating: ".", count: 20 - width)
            + "|")
      }
      return table.lines
    }

    private struct Report: Encodable {
      struct Tie: Encodable {
        let name: String
        let original: String
        let file: String
      }
      struct Change: Encodable {
        let kind: CheckpointDiff.Change.Kind
        let name: String
        let newName: String?
        let oldDtype: String?
        let newDtype: String?
        let oldShape: Shape?
        let newShape: Shape?
        let difference: TensorDifference?
      }
      let first: String
      let second: String
      let firstPrefix: String
      let secondPrefix: String
      let identical: Int
      let identicalByStoredDigest: Int
      let becameNaN: Int
      let becameInfinite: Int
      let noLongerNaN: Int
      let noLongerInfinite: Int
      let changes: [Change]
      let tied: [Tie]
      let values: [ValueDiff.Change]
      /// Names of tensors that cannot be read; absent if there are none.
      let notCompared: [String]?

      init(
        first: String, second: String, diff: CheckpointDiff, values: ValueDiff,
        pairing: NamePairing, notCompared: [String]?
      ) {
        self.notCompared = notCompared
        (firstPrefix, secondPrefix) = (pairing.firstPrefix, pairing.secondPrefix)
        self.first = first
        self.second = second
        self.values = values.changes
        identical = diff.identical
        identicalByStoredDigest = diff.identicalByStoredDigest
        tied = diff.tied.map {
          Tie(name: $0.name.text, original: $0.original.text, file: $0.isInSecond ? second : first)
        }
        func total(_ count: (TensorDifference) -> Int) -> Int {
          diff.changes.compactMap(\.difference).map(count).saturatedSum()
        }
        becameNaN = total(\.becameNaN)
        becameInfinite = total(\.becameInfinite)
        noLongerNaN = total(\.noLongerNaN)
        noLongerInfinite = total(\.noLongerInfinite)
        changes = diff.changes.map {
          Change(
            kind: $0.kind, name: $0.name.text, newName: $0.newName?.text,
            oldDtype: $0.old?.dtype.rawValue, newDtype: $0.new?.dtype.rawValue,
            oldShape: $0.old?.shape, newShape: $0.new?.shape, difference: $0.difference)
        }
      }
    }
  }
}

extension Checkpoint {
  /// The tensors without the digests that the file stores of them.
  fileprivate var unsummed: [Checkpoint.Entry] {
    entries.map { entry in
      var entry = entry
      (entry.storedDigest, entry.chainingValues) = (nil, [])
      return entry
    }
  }
}

extension CheckpointDiff {
  /// One line: how many of each kind, how many are identical, and how many values became NaN or
  /// infinite.
  fileprivate var summary: String {
    let counts = Change.Kind.allCases.compactMap { kind -> String? in
      let count = changes.count { $0.kind == kind }
      return count == 0 ? nil : "\(count.grouped) \(kind.rawValue)"
    }
    let specials = TensorDifference.specials(in: changes.compactMap(\.difference))
    let ties = tied.isEmpty ? [] : ["\(tied.count.grouped) tied"]
    let isStored = identicalByStoredDigest == identical
    let how =
      switch identicalByStoredDigest {
      case 0: ""
      case let count: isStored ? " by stored digest" : ", \(count.grouped) of them by stored digest"
      }
    return (counts + ["\(identical.grouped) identical\(how)"] + ties + specials).joined(
      separator: ", ")
  }
}
