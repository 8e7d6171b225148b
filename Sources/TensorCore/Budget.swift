/// What a file or a model may cost without being asked for: a few bytes can claim a petabyte of
/// values or a million modules.
///
/// The limits are checked before the work begins, and lifted by `--allow-large`.
public struct Budget: Sendable, Hashable {
  /// Whether everything is allowed.
  public let isUnlimited: Bool

  /// The limits that hold unless somebody lifts them.
  public static let standard = Budget(isUnlimited: false)
  /// No limits, as `--allow-large` has it.
  public static let unlimited = Budget(isUnlimited: true)
  /// The budget of the task that runs.
  @TaskLocal public static var current = standard

  /// Bytes of values that any file may claim: never-written HDF5 datasets and expanded tensors take
  /// none of the file's own.
  static let freeBytes = 1 << 30
  /// Bytes of values for each byte of a file: deflate packs at most 1,032 into one.
  static let bytesPerByte = 1032
  /// Bytes of memory for values that must be made whole, such as those of an orthogonal matrix.
  static let workingBytes = 1 << 31

  /// Largest number of modules and tensors that a text may stand for, at about 1 KiB of memory each.
  package var maxModules: Int { isUnlimited ? 10_000_000 : 200_000 }

  /// Largest number of values besides tensors, at about 32 bytes of memory each; a vocabulary with
  /// its merges has a million.
  package var maxValues: Int { isUnlimited ? 100_000_000 : 3_000_000 }

  /// Largest number of bytes of values that `fileBytes` bytes may claim.
  package func maxValueBytes(inFileOf fileBytes: Int) -> Int {
    if isUnlimited || fileBytes >= (Shape.limit - Self.freeBytes) / Self.bytesPerByte {
      return Shape.limit
    }
    return Self.freeBytes + Self.bytesPerByte * max(fileBytes, 0)
  }

  /// Refuses values that a file claims and cannot hold.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` with both numbers and the remedy.
  package func checkValues(of byteCount: Int, inFileOf fileBytes: Int) throws(CheckpointError) {
    guard byteCount <= maxValueBytes(inFileOf: fileBytes) else {
      throw CheckpointError(
        .unsupported,
        "claims \(byteCount) bytes of values in \(fileBytes) bytes; pass --allow-large to read it")
    }
  }

  /// Refuses work on `count` elements at once, each of which takes `width` bytes of memory.
  ///
  /// - Throws: ``CheckpointError`` `unsupported`; `work` names what needs the memory.
  package func checkMemory(
    for work: String, elements count: Int, width: Int
  ) throws(CheckpointError) {
    guard isUnlimited || count <= Self.workingBytes / width else {
      throw CheckpointError(
        .unsupported,
        "\(work) of \(count) elements needs more than \(Self.workingBytes >> 30) GiB of memory at "
          + "once; pass --allow-large to allow it")
    }
  }
}
