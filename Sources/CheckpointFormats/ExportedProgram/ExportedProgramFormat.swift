import ByteIO
import TensorCore

/// The format of exported programs as a value.
extension CheckpointFormat {
  /// Programs of `torch.export.save` and packages of `torch.export.pt2_archive`: weights, buffers, and
  /// constants, read-only; the program itself is not read.
  ///
  /// Source: torch 2.15, `export/__init__.py`, `export/pt2_archive/_package.py`,
  /// `csrc/export/pt2_archive_constants.h`.
  public static let exportedProgram = CheckpointFormat(
    name: "pt2", extensions: [".pt2"],
    recognizes: { ExportedProgram.recognizes($0) },
    open: { probe, _ in try ExportedProgram.open(probe) },
    capabilities: Capabilities(dtypes: ExportedProgram.types.values),
    verify: { probe, _ in try ExportedProgram.damage(probe) })
}

/// Names and types of the format.
enum ExportedProgram {
  /// Dtypes by `ScalarType` of the schema (`torch/_export/serde/schema.py`).
  static let types: [Int: DType] = [
    1: .uint8, 2: .int8, 3: .int16, 4: .int32, 5: .int64, 6: .float16, 7: .float32, 8: .float64,
    10: .complex64, 11: .complex128, 12: .bool, 13: .bfloat16, 28: .uint16, 29: .float8e4m3,
    30: .float8e5m2, 31: .float8e4m3fnuz, 32: .float8e5m2fnuz, 33: .float8e8m0, 34: .uint32,
    35: .uint64,
  ]
  /// `Layout` of tensors that are not sparse.
  static let stridedLayout = 7

  /// The folders of weights and of constants, and the ends of the names of their descriptions.
  static let folders = [
    (folder: "data/weights/", config: "_weights_config.json"),
    (folder: "data/constants/", config: "_constants_config.json"),
  ]
  /// Files of `torch.save` in archives of torch 2.1 to 2.7.
  static let oldMembers = ["serialized_state_dict", "serialized_constants"]
  static let oldEndings = [".pt", ".json"]
  /// What the paths of members that are not read contain, and the value that stands for them.
  static let unread = [
    (path: "sample_inputs/", name: "example_inputs"),
    (path: "serialized_example_inputs", name: "example_inputs"),
    (path: "extra/", name: "extra_files"), (path: "extra_files/", name: "extra_files"),
  ]
  private static let formatMember = "archive_format"

  static func recognizes(_ candidate: FileProbe) -> Bool {
    guard candidate.head.starts(with: [0x50, 0x4b, 0x03, 0x04]),
      let archive = try? candidate.archive
    else { return false }
    return isOld(archive) || root(of: archive) != nil
  }

  static func isOld(_ archive: ZipArchive) -> Bool {
    oldMembers.contains { name in
      oldEndings.contains { archive.member(named: TensorName(name + $0)) != nil }
    }
  }

  /// The folder in which all members are, with its slash, or nothing; `nil` if there is no member that
  /// names the format.
  static func root(of archive: ZipArchive) -> String? {
    let ends = archive.members.filter {
      $0.name.text == formatMember || $0.name.text.hasSuffix("/" + formatMember)
    }
    guard ends.count == 1 else { return nil }
    return String(ends[0].name.text.dropLast(formatMember.utf8.count))
  }

  static func open(_ probe: FileProbe) throws(CheckpointError) -> Opened {
    do throws(CheckpointError) {
      var reader = ExportedProgramReader(try probe.archive.takingZeroForNoSum)
      return try reader.contents()
    } catch {
      throw error.damage(to: "the exported program is damaged", path: probe.path)
    }
  }

  /// Reads every member and compares its CRC-32; answers each damaged one's error.
  static func damage(_ probe: FileProbe) throws(CheckpointError) -> [CheckpointError] {
    let archive = try probe.archive.takingZeroForNoSum
    return archive.members.compactMap(archive.damage)
  }
}
