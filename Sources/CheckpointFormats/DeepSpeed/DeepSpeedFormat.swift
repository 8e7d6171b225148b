import ByteIO
import TensorCore

/// Folders of DeepSpeed as a value.
extension CheckpointFormat {
  /// DeepSpeed's ZeRO checkpoints of stages 1 to 3, joined from the files of all ranks as its
  /// `zero_to_fp32.py` joins them, read-only.
  ///
  /// Source: deepspeed 0.19, `utils/zero_to_fp32.py`, `checkpoint/constants.py`.
  public static let deepspeed = CheckpointFormat(
    name: "deepspeed", extensions: [],
    recognizes: { DeepSpeed.recognizes($0) },
    open: { probe, options in try DeepSpeed.open(probe, options) },
    capabilities: Capabilities(dtypes: DType.allCases),
    verify: { try await DeepSpeed.damage($0, threads: $1) })
}

/// Finding the folder of a checkpoint, and checking its files.
enum DeepSpeed {
  private static let latestName = "latest"
  static let optimizerEnding = "_optim_states.pt"
  static let modelEnding = "_model_states.pt"
  /// The file of a model that is not partitioned.
  static let wholeName = "mp_rank_00_model_states.pt"

  /// Whether a folder holds the files of a checkpoint, or names the folder that does.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    guard let members = candidate.members else { return false }
    if holdsFiles(candidate) { return true }
    guard members.contains(latestName), let tag = tag(of: candidate),
      let folder = try? FileProbe(tag, in: candidate.folder)
    else { return false }
    return holdsFiles(folder)
  }

  /// Whether a folder holds the files of a checkpoint.
  private static func holdsFiles(_ folder: FileProbe) -> Bool {
    !folder.members(endingIn: modelEnding).isEmpty
      || !folder.members(endingIn: optimizerEnding).isEmpty
  }

  /// What the file `latest` names, if that is a folder of the probe; `nil` otherwise.
  private static func tag(of folder: FileProbe) -> String? {
    guard let file = try? folder.folder.openFile(latestName), file.size <= 1024,
      let bytes = try? file.bytes(0..<file.size),
      let text = String(validating: bytes, as: UTF8.self)
    else { return nil }
    let tag = text.trimming { $0.properties.isWhitespace }
    return folder.members?.contains(tag) == true ? tag : nil
  }

  /// The folder of the files, and a note if it was chosen among several.
  private static func found(
    _ probe: FileProbe
  ) throws(CheckpointError) -> (folder: FileProbe, notes: [String]) {
    if holdsFiles(probe) { return (probe, []) }
    guard let tag = tag(of: probe) else {
      throw CheckpointError(
        .missing, "expected a folder of DeepSpeed's files, found none", path: probe.path)
    }
    let folder = try FileProbe(tag, in: probe.folder)
    // Tags are usually called alike but for their number.
    let stem = tag.prefix { !$0.isNumber }
    let others = (probe.members ?? []).filter { name in
      name != tag && !stem.isEmpty && name.hasPrefix(stem)
        && name.dropFirst(stem.count).allSatisfy(\.isNumber)
    }
    guard let first = others.first else { return (folder, []) }
    let more = others.count > 1 ? " and \(others.count - 1) more" : ""
    return (
      folder,
      [
        "reading '\(tag)', which 'latest' names; the folder also holds '\(first)'\(more): name it to "
          + "read it"
      ]
    )
  }

  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    let (folder, notes) = try found(probe)
    guard !folder.members(endingIn: optimizerEnding).isEmpty else {
      return try whole(folder, options, notes)
    }
    guard options.key == nil else {
      throw CheckpointError(
        .unsupported, "a folder of DeepSpeed is read as one; name one of its files to use --key",
        path: folder.path)
    }
    var opened = try DeepSpeedCheckpoint(folder).contents()
    opened.notes = notes + opened.notes
    return opened
  }

  /// A model without partitions, as training without ZeRO writes it.
  private static func whole(
    _ folder: FileProbe, _ options: OpenOptions, _ notes: [String]
  ) throws -> Opened {
    let names = folder.members(endingIn: modelEnding)
    guard names == [wholeName] else {
      throw CheckpointError(
        .missing,
        names.allSatisfy { $0.hasPrefix("zero_") }
          ? "holds no *\(optimizerEnding), which have the values of a partitioned model; copy those "
            + "of all ranks"
          : "holds \(names.count) files *\(modelEnding), each a part of the model, such as "
            + "\(names[0]); name one of them", path: folder.path)
    }
    let file = try FileProbe(wholeName, in: folder.folder)
    var opened = try CheckpointFormat.pytorch.open(file, options)
    opened.notes = notes + ["reading '\(wholeName)'"] + opened.notes
    return opened
  }

  /// Checks the CRC-32 of all members of all files.
  static func damage(_ probe: FileProbe, threads: Int) async throws -> [CheckpointError] {
    let folder = try found(probe).folder
    var damage: [CheckpointError] = []
    for name in folder.members ?? []
    where name.hasSuffix(optimizerEnding) || name.hasSuffix(modelEnding) {
      let file = try FileProbe(name, in: folder.folder)
      do throws(CheckpointError) {
        _ = try PyTorchFile.opened(file)
      } catch {
        damage.append(error.adding(path: file.path))
        continue
      }
      damage += try await PyTorchFormat.damage(file, threads: threads).map {
        $0.adding(path: file.path)
      }
    }
    return damage
  }
}
