import TensorCore

/// The answer as people read it.
extension DiffAnswer {
  /// The line: what it comes to, then what became NaN, what is frozen, and the largest change.
  public var text: String { clauses.joined(separator: "; ") }

  /// The parts of the line, the most important one first.
  public var clauses: [String] {
    var clauses = [headline]
    for (count, outcome) in [
      (sum.difference.becameNaN, "NaN"), (sum.difference.becameInfinite, "infinite"),
    ] where count > 0 {
      let place =
        tensorsWithNaN > 0 && outcome == "NaN" ? " in \(tensorsWithNaN.pluralized("tensor"))" : ""
      clauses.append("\(count.pluralized("value"))\(place) became \(outcome)")
    }
    guard changed > 0 else { return clauses }
    if verdict == .unrelated, let cosine, cosine.isFinite {
      return clauses + ["cosine \(cosine.short)"]
    }
    if !frozenParts.isEmpty, !namesFrozen {
      clauses.append("frozen: \(Self.listed(frozenParts))")
    }
    if let largest {
      clauses.append(
        "largest relative change \(largest.relativeL2.short) (\(largest.name.text.escapingControls))"
      )
    }
    return clauses
  }

  /// Parts that are listed; more are counted.
  private static let maxParts = 4

  private static func listed(_ parts: [String]) -> String {
    parts.map(\.escapingControls).listed(upTo: maxParts)
  }

  /// Whether the headline names what is frozen instead of what changed.
  private var namesFrozen: Bool {
    verdict == .partial && frozenParts.count < changedParts.count
      && changedParts.count > Self.maxParts && frozenParts.count <= Self.maxParts
  }

  private var headline: String {
    let all = sum.tensors.pluralized("tensor")
    let count = "\(changed.grouped) of \(all) changed"
    switch verdict {
    case .identical: return (["identical: \(all)\(stored)"] + moves).joined(separator: ", ")
    case .values:
      let differing = (values?.changes.count ?? 0).pluralized("other value")
      return "identical tensors: \(sum.tensors.grouped)\(stored); \(differing) changed"
    case .renamed, .transposed, .cast:
      return (["same values: \(all)"] + moves).joined(separator: ", ")
    case .architecture: return "different architecture: " + architecture
    case .partial:
      let place =
        namesFrozen
        ? "changed except in \(Self.listed(frozenParts))"
        : "changed only in \(Self.listed(changedParts))"
      return (["same architecture, \(place): \(changed.grouped) of \(all)"] + moves)
        .joined(separator: ", ")
    case .fineTuned, .changed, .unrelated:
      let how =
        switch verdict {
        case .fineTuned: "fine-tuned everywhere"
        case .unrelated: "different weights"
        default: "changed everywhere"
        }
      return (["same architecture, \(how): \(count)"] + moves).joined(separator: ", ")
    }
  }

  private var stored: String {
    switch byStoredDigest {
    case 0: ""
    case sum.tensors: " (by stored digest)"
    default: " (\(byStoredDigest.grouped) by stored digest)"
    }
  }

  private var architecture: String {
    let common = sum.tensors - sum.count(.added) - sum.count(.removed)
    let counts = [
      (sum.count(.added), "added"), (sum.count(.removed), "removed"),
      (sum.count(.reshaped), "reshaped"),
    ]
    let line = counts.filter { $0.0 > 0 }.map { "\($0.0.grouped) \($0.1)" }
      .joined(separator: ", ")
    if common == 0 { return "\(line), no tensor in common" }
    let rest =
      changed == 0
      ? "\((common - sum.count(.reshaped)).pluralized("tensor")) equal"
      : "\(changed.grouped) of \(common.grouped) common tensors changed"
    return (["\(line); \(rest)"] + moves).joined(separator: ", ")
  }

  /// `54 names gain 'module.'`, `12 transposed`, `54 cast from F32 to BF16`.
  private var moves: [String] {
    var texts: [String] = []
    let renamed = renamings.map(\.tensors.count).reduce(0, +)
    if let only = renamings.first, renamings.count == 1, renamed > 1 {
      let isInserted = only.old.isEmpty || only.new.isEmpty
      texts.append("\(renamed.grouped) \(isInserted ? "names" : "renamed") \(only.text)")
    } else if renamed > 0 {
      texts.append("\(renamed.grouped) renamed")
    }
    if sum.count(.transposed) > 0 { texts.append("\(sum.count(.transposed).grouped) transposed") }
    if cast > 0 {
      let types = types.map { "from \($0.old.rawValue) to \($0.new.rawValue)" }
      texts.append("\(cast.grouped) cast \(types.count == 1 ? types[0] : "to other types")")
    }
    return texts
  }
}
