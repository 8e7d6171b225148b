import ByteIO

/// Files that hold what one rank of a distributed training had, told by their names.
enum RankFile {
  /// One sentence about a file whose name says that other files hold the rest; `nil` for other names.
  static func note(_ probe: FileProbe) -> String? {
    let name = probe.name
    let words = name.split { $0 == "_" || $0 == "." || $0 == "-" }.map { $0.lowercased() }
    if name.hasPrefix("zero_pp_rank_") || name.contains("_zero_pp_rank_") {
      return "is the file of one rank of DeepSpeed (ZeRO); name its folder to read all, joined"
    }
    if name.hasPrefix("consolidated."), words.count == 3, words[1].count == 2, words[1] != "00",
      Int(words[1]) != nil
    {
      return "is the file of one model-parallel rank; name its folder to read all, joined"
    }
    if let folder = probe.place.prefix.split(separator: "/").last, folder.hasPrefix("mp_rank_"),
      folder.hasSuffix("_000") || folder != "mp_rank_00"
    {
      return "is the file of one rank of Megatron (\(folder)), which holds a part of each divided "
        + "tensor or of the layers; the other ranks have the rest"
    }
    if let rank = number(after: "rank", in: words), !words.contains("mp"), !isState(words) {
      let world = sizes(words)
      return "is named like the file of rank \(rank)\(world) (FSDP, for example), which holds a "
        + "part of each tensor; the other ranks have the rest"
    }
    if let last = words.dropLast().last, last.hasPrefix("shard"), Int(last.dropFirst(5)) != nil {
      return "is named like one shard of several (fairseq), which holds a part of each tensor; the "
        + "other shards have the rest"
    }
    return nil
  }

  /// The number in `rank_3` or `rank3`.
  private static func number(after word: String, in words: [String]) -> Int? {
    for (index, found) in words.enumerated() where found.hasPrefix(word) {
      if found == word { return words.dropFirst(index + 1).first.flatMap { Int($0) } }
      if let number = Int(found.dropFirst(word.count)) { return number }
    }
    return nil
  }

  /// ` of 8` where the name has `world_size_8`.
  private static func sizes(_ words: [String]) -> String {
    guard let index = words.firstIndex(of: "size"), index + 1 < words.count, index > 0,
      words[index - 1] == "world", let size = Int(words[index + 1])
    else { return "" }
    return " of \(size)"
  }

  /// Whether a name is that of a random state, which every rank has for itself, or of a LoRA, whose
  /// rank is a size.
  private static func isState(_ words: [String]) -> Bool {
    ["rng", "random", "lora"].contains { words.contains($0) }
  }
}
