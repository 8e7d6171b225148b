import TensorCore

/// The answer as people read it.
extension DiffAnswer {
  /// The line: what it comes to, then what became NaN, what is frozen, and the largest change.
  public var text: String { clauses.joined(separator: "; ") }

  /// The parts of the line, the most important one first.
  public var clauses: [String] {
    var clauses = [headline]
    let found = sum.difference
    for (count, outcome) in [
      (found.becameNaNCount, "became NaN"), (found.becameInfiniteCount, "became infinite"),
      (found.noLongerNaNCount, "no longer NaN"),
      (found.noLongerInfiniteCount, "no longer infinite"),
    ] where count > 0 {
      let tensors = nanTensorCount.pluralized("tensor")
      let place = outcome == "became NaN" ? " in \(tensors)" : ""
      clauses.append("\(count.pluralized("value"))\(place) \(outcome)")
    }
    guard changedCount > 0 else { return clauses }
    if verdict == .unrelated {
      if namesChanged, !frozenParts.isEmpty {
        clauses.append("frozen: \(Self.listed(frozenParts))")
      }
      if let cosine, cosine.isFinite { clauses.append("cosine \(cosine.short)") }
      if let largest = found.maxAbsolute, largest.isFinite {
        clauses.append("max abs \(largest.short)")
      }
    } else {
      if !frozenParts.isEmpty, !namesFrozen {
        clauses.append("frozen: \(Self.listed(frozenParts))")
      }
      if let largest {
        let name = largest.name.text.escapingControls
        clauses.append("largest relative change \(largest.relativeL2.short) (\(name))")
      }
    }
    return clauses + moves
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

  /// Whether what changed is few enough parts to be named.
  private var namesChanged: Bool { 1...Self.maxParts ~= changedParts.count }

  private var headline: String {
    let all = sum.tensorCount.pluralized("tensor")
    let count = "\(changedCount.grouped) of \(all) changed"
    switch verdict {
    case .identical: return (["identical: \(all)\(stored)"] + moves).joined(separator: ", ")
    case .values:
      let differing = (values?.changes.count ?? 0).pluralized("other value")
      let tensors = ["identical tensors: \(sum.tensorCount.grouped)\(stored)"] + moves
      return "\(tensors.joined(separator: ", ")); \(differing) changed"
    case .renamed, .transposed, .cast:
      return (["same values: \(all)"] + moves).joined(separator: ", ")
    case .architecture: return "different architecture: " + architecture
    case .partial:
      let place =
        namesFrozen
        ? "changed except in \(Self.listed(frozenParts))"
        : "changed only in \(Self.listed(changedParts))"
      return "same architecture, \(place): \(changedCount.grouped) of \(all)"
    case .fineTuned, .changed, .unrelated:
      let how =
        switch verdict {
        case .fineTuned: "fine-tuned everywhere"
        case .unrelated where namesChanged: "different weights in \(Self.listed(changedParts))"
        case .unrelated: "different weights"
        default: "changed everywhere"
        }
      return "same architecture, \(how): \(count)"
    }
  }

  private var stored: String {
    switch byStoredDigest {
    case 0: ""
    case sum.tensorCount: " (by stored digest)"
    default: " (\(byStoredDigest.grouped) by stored digest)"
    }
  }

  private var architecture: String {
    let common = sum.tensorCount - sum.count(.added) - sum.count(.removed)
    let counts = [
      (sum.count(.added), "added"), (sum.count(.removed), "removed"),
      (sum.count(.reshaped), "reshaped"),
    ]
    let line = counts.filter { $0.0 > 0 }.map { "\($0.0.grouped) \($0.1)" }
      .joined(separator: ", ")
    if common == 0 { return "\(line), no tensor in common" }
    let equal = common - sum.count(.reshaped)
    if changedCount > 0 {
      return "\(line); \(changedCount.grouped) of \(common.grouped) common tensors changed"
    }
    if equal == 0 { return line }
    return (["\(line); \(equal.pluralized("tensor")) equal"] + moves).joined(separator: ", ")
  }

  /// `all names gain 'module.'`, `12 transposed`, `54 cast from F32 to BF16`.
  private var moves: [String] {
    func counted(_ count: Int) -> String {
      count > 1 && count == sum.tensorCount ? "all" : count.grouped
    }
    var texts: [String] = []
    let renamed = renamings.map(\.tensors.count).saturatedSum()
    if let only = renamings.first, renamings.count == 1, renamed > 1 {
      let isInserted = only.old.isEmpty || only.new.isEmpty
      texts.append("\(counted(renamed)) \(isInserted ? "names" : "renamed") \(only.text)")
    } else if renamed > 0 {
      texts.append("\(counted(renamed)) renamed")
    }
    let transposed = sum.count(.transposed)
    if transposed > 0 { texts.append("\(counted(transposed)) transposed") }
    if cast > 0 {
      let types = types.map { "from \($0.old.rawValue) to \($0.new.rawValue)" }
      texts.append("\(counted(cast)) cast \(types.count == 1 ? types[0] : "to other types")")
    }
    return texts
  }
}
