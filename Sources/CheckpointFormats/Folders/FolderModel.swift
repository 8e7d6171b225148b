import ByteIO
import TensorCore

/// The file that stands for a folder: of several complete models, the one that transformers takes.
///
/// Source: transformers 5.24, `modeling_utils.py` (`_get_resolved_checkpoint_files`), and the names of
/// files in transformers' and diffusers' `utils`.
enum FolderModel {
  /// Names in the order in which they are looked for; an index stands also for numbered files
  /// without one.
  private static let names = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack",
    "flax_model.msgpack.index.json", "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.bin.index.json", "diffusion_flax_model.msgpack",
  ]
  /// Names of what is beside a model, or made from it, and is read where there is none.
  private static let others = ["adapter_model.safetensors", "adapter_model.bin", "model.onnx"]
  /// Endings of numbered files, in the order in which they are looked for.
  private static let shardEndings = [".safetensors", ".bin", ".pt", ".pth"]
  /// Beginnings of the names of files that trainers put beside a model.
  private static let companions = [
    "training_args.", "optimizer.", "optimizer_", "scheduler.", "scheduler_", "scaler.",
    "rng_state", "random_states_", "tokenizer", "adapter_model.",
  ]

  /// What stands for a folder.
  enum Choice {
    case file(String)
    case shards(NumberedShards)
  }

  /// The model among the files of a folder that have the names of one; `nil` if none has.
  ///
  /// - Throws: ``CheckpointError`` when the numbered files are not a whole set.
  static func choice(in folder: FileProbe) throws(CheckpointError) -> Choice? {
    guard let members = folder.members else { return nil }
    for name in names {
      if members.contains(name) { return .file(name) }
      guard let ending = shardEndings.first(where: { name.hasSuffix($0 + ".index.json") }) else {
        continue
      }
      let stem = String(name.dropLast(ending.utf8.count + ".index.json".utf8.count))
      if let shards = try NumberedShards(folder, ending: ending, stem: stem) {
        return .shards(shards)
      }
    }
    for ending in shardEndings where folder.members(endingIn: ending + ".index.json").isEmpty {
      if let shards = try NumberedShards(folder, ending: ending) { return .shards(shards) }
    }
    return others.first { members.contains($0) }.map { .file($0) }
  }

  /// Whether the model of a folder is in files with one of these endings, or in no file that has the
  /// name of a model.
  static func isOpen(_ folder: FileProbe, to endings: [String]) -> Bool {
    switch try? choice(in: folder) {
    case .file(let name)?:
      endings.contains { name.hasSuffix($0) || name.hasSuffix($0 + ".index.json") }
    case .shards(let shards)?: endings.contains { shards.names[0].hasSuffix($0) }
    case nil: true
    }
  }

  /// The one file that stands for a folder, which is opened once; `nil` if there is none, or several.
  static func file(of folder: FileProbe) -> FileProbe? {
    guard folder.members != nil else { return nil }
    return folder.finding(for: FolderModel.self) { find(in: $0) }
  }

  private static func find(in folder: FileProbe) -> FileProbe? {
    switch try? choice(in: folder) {
    case .file(let name)?: return try? folder.member(name)
    case .shards?: return nil
    case nil: break
    }
    let endings = CheckpointFormat.all.flatMap(\.extensions)
    let files = (folder.members ?? []).filter { name in
      endings.contains { name.lowercased().hasSuffix($0) }
        && !companions.contains { name.hasPrefix($0) }
    }
    // One of a set, whose other files are missing, is not the whole.
    guard files.count == 1, !NumberedShards.isOneOfSeveral(files[0]) else { return nil }
    return try? folder.member(files[0])
  }
}

extension CheckpointFormat {
  /// This format for a folder that one of its files stands for: the file is what is opened and filled.
  func reading(_ file: FileProbe) -> CheckpointFormat {
    var copy = self
    copy.open = { [open] folder, options in
      var opened = try open(file, options)
      let files = file.name.hasSuffix(".index.json") ? try ShardIndex(file).files : []
      opened.notes += folder.othersNote(reading: [file.name] + files)
      return opened
    }
    if let verify { copy.verify = { _, threads in try await verify(file, threads) } }
    if let fill {
      copy.fill = { request in
        var inner = request
        inner.template = file
        return try fill(inner)
      }
    }
    return copy
  }
}
