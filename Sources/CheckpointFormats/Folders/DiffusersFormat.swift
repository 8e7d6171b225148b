import ByteIO
import JSONText
import TensorCore

/// Folders of diffusers as a value.
extension CheckpointFormat {
  /// A pipeline of diffusers: `model_index.json` and a folder for each model, read-only.
  ///
  /// Each model is a part: ``OpenOptions/key`` chooses one, as in `unet`; otherwise all are read, and
  /// names begin with the folder's. Source: diffusers 0.42, `pipelines/pipeline_utils.py`,
  /// `utils/constants.py`.
  public static let diffusers = CheckpointFormat(
    name: "diffusers", extensions: [],
    recognizes: { Diffusers.recognizes($0) },
    open: { try Diffusers.open($0, $1) },
    capabilities: Capabilities(dtypes: DType.allCases),
    verify: { try await Diffusers.parts(of: $0).damage(threads: $1) })
}

/// Finding the models of a pipeline.
enum Diffusers {
  private static let indexName = "model_index.json"
  /// The files that `from_pretrained` reads of a model, the first that is there.
  private static let files = [
    "diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.safetensors",
    "model.safetensors.index.json", "model.safetensors",
    "diffusion_pytorch_model.bin.index.json", "diffusion_pytorch_model.bin",
    "pytorch_model.bin.index.json", "pytorch_model.bin", "diffusion_flax_model.msgpack",
    "flax_model.msgpack", "model.onnx",
  ]
  /// Largest number of folders that are looked into, and largest index that is read, in bytes.
  private static let maxFolders = 256
  private static let maxIndexSize = 1 << 20

  /// Whether a folder is a pipeline with a model in it.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    guard candidate.members?.contains(indexName) == true else { return false }
    do throws(CheckpointError) {
      return try !parts(of: candidate).parts.isEmpty
    } catch {
      // Opening says what is wrong with it.
      return true
    }
  }

  /// The models of a pipeline, found once.
  static func parts(of probe: FileProbe) throws(CheckpointError) -> FolderParts {
    try probe.finding(for: Diffusers.self) { probe throws(CheckpointError) in
      let place = try probe.member(indexName).neighbors
      var parts: [FolderParts.Part] = []
      for name in (probe.members ?? []).prefix(maxFolders) where !name.contains(".") {
        guard try place.openFile(name) == nil else { continue }
        let folder = try FileProbe(name, in: place)
        guard let model = try model(in: folder) else { continue }
        parts.append(FolderParts.Part(key: name, probe: model.probe, format: model.format))
      }
      return FolderParts(parts: parts)
    }
  }

  /// The file of a model that diffusers reads, else whatever the folder is.
  private static func model(
    in folder: FileProbe
  ) throws(CheckpointError) -> (probe: FileProbe, format: CheckpointFormat)? {
    var probe = folder
    if let file = files.first(where: { folder.members?.contains($0) == true }) {
      probe = try FileProbe(file, in: folder.folder)
    }
    return CheckpointFormat.recognized(probe).map { (probe, $0) }
  }

  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    let parts = try parts(of: probe)
    var opened = try parts.contents(options)
    if options.key == nil {
      opened.notes += probe.othersNote(reading: [indexName])
      let found = Set(parts.parts.map(\.key)).union(probe.members ?? [])
      let missing = try components(of: probe).filter { !found.contains($0) }
      if !missing.isEmpty {
        let names = missing.map { "'\($0)'" }.listed(upTo: 1)
        opened.notes.append("\(names) of \(indexName) is not in the folder")
      }
    }
    return opened
  }

  /// The names of what a pipeline consists of: members of the index that are a library and a class.
  private static func components(of probe: FileProbe) throws(CheckpointError) -> [String] {
    let file = try probe.member(indexName).source
    guard file.size <= maxIndexSize,
      let members = (try? JSONValue(String(decoding: try file.head(file.size), as: UTF8.self)))?
        .members
    else { return [] }
    return members.compactMap { name, value in
      value.elements?.first?.text == nil ? nil : name
    }
  }
}
