import ByteIO
import TensorCore

/// Folders of LLaMA's own files as a value.
extension CheckpointFormat {
  /// Meta's files of LLaMA, `consolidated.00.pth` and so on, one for each model-parallel rank,
  /// read-only.
  ///
  /// Source: llama `model.py` (`ColumnParallelLinear`, `RowParallelLinear`, `ParallelEmbedding`) with
  /// fairscale 0.4; transformers 5.24, `models/llama/convert_llama_weights_to_hf.py`.
  public static let consolidated = CheckpointFormat(
    name: "consolidated", extensions: [],
    recognizes: { Consolidated.recognizes($0) },
    open: { try Consolidated.open($0, $1) },
    capabilities: Capabilities(dtypes: DType.allCases),
    verify: { try await Consolidated.parts(of: $0).damage(threads: $1) })
}

/// Joining the files of model-parallel ranks.
enum Consolidated {
  /// How the ranks have a tensor.
  private enum Division {
    /// Every rank has all of it.
    case copied
    /// Each has a range of this dimension.
    case along(Int)
    /// A token embedding: of LLaMA 1 and 2 along its columns, of LLaMA 3 along its rows.
    case embedding
  }

  private static let stem = "consolidated."
  private static let endings = [".pth", ".pt"]
  private static let embedding = "tok_embeddings.weight"

  /// The names of the ranks' files in order.
  private static func names(in folder: FileProbe) -> [String] {
    (folder.members ?? []).filter { name in
      guard name.hasPrefix(stem), let ending = endings.first(where: name.hasSuffix) else {
        return false
      }
      let number = name.dropFirst(stem.count).dropLast(ending.count)
      return number.count == 2 && number.allSatisfy(\.isNumber)
    }
  }

  static func recognizes(_ candidate: FileProbe) -> Bool { !names(in: candidate).isEmpty }

  /// The files of all ranks, which must be numbered from 00.
  static func parts(of probe: FileProbe) throws(CheckpointError) -> FolderParts {
    var parts: [FolderParts.Part] = []
    for (number, name) in names(in: probe).enumerated() {
      guard Int(name.dropFirst(stem.count).prefix(2)) == number else {
        throw CheckpointError(
          .missing,
          "expected '\(stem)\(number < 10 ? "0" : "")\(number)' before '\(name)', found none; copy "
            + "the files of all ranks", path: probe.path)
      }
      let file = try FileProbe(name, in: probe.folder)
      let ending = endings.first { name.hasSuffix($0) } ?? ""
      parts.append(
        FolderParts.Part(
          key: String(name.dropLast(ending.count)), probe: file, format: .pytorch))
    }
    return FolderParts(parts: parts)
  }

  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    let parts = try parts(of: probe)
    let names = names(in: probe)
    if options.key != nil { return try parts.contents(options) }
    var ranks: [Opened] = []
    for part in parts.parts { ranks.append(try part.format.open(part.probe, OpenOptions())) }
    if ranks.count == 1 {
      var opened = ranks[0]
      opened.notes += probe.othersNote(reading: names)
      return opened
    }
    do {
      var opened = try joined(ranks)
      opened.notes += probe.othersNote(reading: names)
      return opened
    } catch let error as Unknown {
      var opened = try parts.contents(options)
      let ranks = Set(parts.parts.compactMap { RankFile.note($0.probe) })
      opened.notes.removeAll { note in ranks.contains { note.hasSuffix($0) } }
      opened.notes.append(
        "the files of the \(names.count) ranks are not joined, since \(error.reason): names begin "
          + "with their file's")
      return opened
    }
  }

  /// Why files are not joined.
  private struct Unknown: Error {
    let reason: String
  }

  /// The division of a parameter of LLaMA; `nil` for other names.
  private static func division(of name: TensorName) -> Division? {
    let text = name.text
    if text == embedding { return .embedding }
    if text == "output.weight" { return .along(0) }
    if text == "norm.weight" || text == "rope.freqs" { return .copied }
    let words = text.split(separator: ".", maxSplits: 2).map(String.init)
    guard words.count == 3, words[0] == "layers", Int(words[1]) != nil else { return nil }
    switch words[2] {
    case "attention.wq.weight", "attention.wk.weight", "attention.wv.weight",
      "feed_forward.w1.weight", "feed_forward.w3.weight":
      return .along(0)
    case "attention.wo.weight", "feed_forward.w2.weight": return .along(1)
    case "attention_norm.weight", "ffn_norm.weight", "attention.inner_attention.rope.freqs":
      return .copied
    default: return nil
    }
  }

  private static func joined(_ ranks: [Opened]) throws -> Opened {
    let byName = ranks.map(\.checkpoint.entriesByName)
    let width = byName[0]["norm.weight"]?.info.shape.first
    var joined = Opened(Checkpoint(entries: [], values: ranks[0].checkpoint.values))
    for entry in ranks[0].checkpoint.entries {
      let parts = byName.compactMap { $0[entry.name] }
      guard parts.count == ranks.count else {
        throw Unknown(reason: "not all have '\(entry.name)'")
      }
      joined.checkpoint.entries.append(try self.entry(parts, width: width))
    }
    for (rank, names) in zip(ranks, byName) where names.count != byName[0].count {
      let extra = rank.checkpoint.entries.first { byName[0][$0.name] == nil }
      throw Unknown(reason: "not all have '\(extra?.name.text ?? "the same tensors")'")
    }
    joined.coverage = ranks.map(\.coverage).min() ?? .none
    joined.notes =
      ["joined from the files of \(ranks.count) model-parallel ranks, as LLaMA divides them"]
      + ranks[0].notes
    return joined
  }

  /// A tensor put together from the parts of all ranks.
  private static func entry(
    _ parts: [Checkpoint.Entry], width: Int?
  ) throws -> Checkpoint.Entry {
    let first = parts[0]
    let axis: Int
    switch division(of: first.name) {
    case nil: throw Unknown(reason: "'\(first.name)' is not a known parameter of LLaMA")
    case .copied:
      guard parts.allSatisfy({ $0.info == first.info }) else {
        throw Unknown(reason: "'\(first.name)' differs in shape among them")
      }
      return first
    case .along(let dimension): axis = dimension
    case .embedding:
      guard first.info.shape.count == 2, let width else {
        throw Unknown(reason: "how '\(first.name)' is divided is not known without 'norm.weight'")
      }
      axis = first.info.shape[1] == width ? 0 : 1
    }
    guard
      parts.allSatisfy({
        $0.info.shape.count == 2 && $0.info.dtype == first.info.dtype
          && $0.info.shape[1 - axis] == first.info.shape[1 - axis]
      })
    else { throw Unknown(reason: "'\(first.name)' differs in shape or type among them") }
    var sizes = [first.info.shape[0], first.info.shape[1]]
    sizes[axis] = parts.map { $0.info.shape[axis] }.saturatedSum()
    let info = try TensorInfo(dtype: first.info.dtype, shape: sizes)
    var boxes: [BoxedTensor.Box] = []
    var offsets = [0, 0]
    for part in parts {
      boxes.append(
        BoxedTensor.Box(offsets: offsets, sizes: [part.info.shape[0], part.info.shape[1]]) { _ in
          part
        })
      offsets[axis] += part.info.shape[axis]
    }
    let reader = try BoxedTensor(info, boxes)
    var entry = Checkpoint.Entry(name: first.name, info: info) { range, target in
      try reader.read(range, into: &target)
    }
    entry.preferredReadSize = first.preferredReadSize
    return entry
  }
}
