/// What a file or a model may cost without being asked for: a few bytes can claim a petabyte of
/// values or a million modules.
///
/// All limits on work and memory stand here. They are checked before the work begins, and lifted by
/// `--allow-large`, but for those on work that may run in circles. What limits a structure, such as
/// the depth of a nesting, the number of dimensions, or the length of a name, stands with its reader.
public struct Budget: Sendable, Hashable {
  /// Whether everything is allowed.
  public let isUnlimited: Bool

  /// The limits that hold unless somebody lifts them.
  public static let standard = Budget(isUnlimited: false)
  /// No limits, as `--allow-large` has it.
  public static let unlimited = Budget(isUnlimited: true)
  /// The budget of the task that runs.
  @TaskLocal public static var current = standard

  /// Bytes of memory for values that must be made whole, such as those of an orthogonal matrix.
  static let workingBytes = 1 << 31
  /// Number of bytes that one byte of a deflate stream can stand for; source: zlib's manual, "Maximum
  /// Compression".
  package static let deflateRatio = 1032

  /// Largest number of modules and tensors that a text may stand for, at about 1 KiB of memory each.
  package var maxModules: Int { isUnlimited ? 10_000_000 : 200_000 }
  /// Largest number of tensors that the statements of an `--extra` file may look at, all together.
  package var maxVisits: Int { isUnlimited ? Shape.limit : 4_000_000 }
  /// Most empty rows that are printed: a file that holds no values can claim any number of them.
  package var maxEmptyRows: Int { isUnlimited ? Shape.limit : 1 << 20 }

  /// Largest number of values besides tensors, at about 32 bytes of memory each; a vocabulary with
  /// its merges has a million.
  package var maxValues: Int { isUnlimited ? 100_000_000 : 3_000_000 }

  /// Whether a tensor may be drawn again and again until all its elements are accepted, which is
  /// expected to take this many `rounds`.
  package func allowsDraws(of elementCount: Int, rounds: Double) -> Bool {
    isUnlimited || rounds <= 1000 || rounds * Double(elementCount) <= 0x1p26
  }

  /// What reading a file costs, and how much of it the file's own bytes justify: `base`, and `share`
  /// for each of `size` bytes (or values), up to `most`.
  package struct Cost: Sendable {
    let base: Int
    let share: Int
    let most: Int
    /// Whether `--allow-large` lifts the limit; work that runs in circles would never end without.
    let isLifted: Bool

    /// Bytes of values that a file claims: never-written HDF5 datasets and expanded tensors take none
    /// of the file's own, and deflate packs the others.
    package static let values = Cost(
      base: 1 << 30, share: deflateRatio, most: Shape.limit, isLifted: true)
    /// Bytes that a compressed file is unpacked to, by its size: weights shrink by a fraction, and a
    /// file of zeros by a thousand times as much.
    package static let unpackedFiles = Cost(
      base: 1 << 30, share: 64, most: Shape.limit, isLifted: true)
    /// Bytes of HDF5 structures that are read, and 64 for each: structures may refer to each other in
    /// a cycle.
    package static let structures = Cost(
      base: 1 << 24, share: 16, most: 1 << 32, isLifted: false)
    /// Objects that links of an HDF5 file lead to: groups within groups may lead to one object along
    /// any number of paths.
    package static let objects = Cost(base: 10_000, share: 1, most: 1_000_000, isLifted: false)
    /// Chunks of an HDF5 file that are written, by its size: a chunk that holds a few bytes costs as
    /// much time as one that holds many, and a file need not have those that it claims.
    package static let chunks = Cost(base: 1 << 20, share: 1, most: Shape.limit, isLifted: true)
    /// Bytes of text in HDF5 attributes, which many attributes may share.
    package static let attributeText = Cost(
      base: 1 << 20, share: 4, most: 1 << 30, isLifted: true)
    /// Bytes of memory for the values of a pickle, by its own size; a tensor takes about 600.
    package static let pickledValues = Cost(
      base: 1 << 24, share: 64, most: 112 << 20, isLifted: true)
    /// The same for a pickle that is only searched for names, which stays below 128 MiB in all.
    package static let scannedValues = Cost(
      base: 1 << 24, share: 64, most: 48 << 20, isLifted: true)
    /// Bytes that a search for names unpacks and reads, by the size of the file; a pickle and an archive
    /// count for some thousands more.
    package static let scannedBytes = Cost(
      base: 1 << 30, share: 16, most: Shape.limit, isLifted: true)
    /// Bytes of memory for the tensors found in a pickle, by its size: several names may lead to one
    /// value.
    package static let pickledTensors = Cost(
      base: 1 << 24, share: 8, most: Shape.limit, isLifted: true)
    /// Steps through the values of a pickle, by their number: each value is looked at a few times in
    /// all, unless many values share what they hold.
    package static let pickleSteps = Cost(
      base: 100_000, share: 8, most: Shape.limit, isLifted: false)
    /// Bytes of the paths of modules that the names of tensors stand for, by their length: a name of
    /// many dots stands for as many modules.
    package static let modulePaths = Cost(
      base: 1 << 24, share: 64, most: Shape.limit, isLifted: true)
    /// Bytes of the names of nested tensors and values, by the size of their file: each repeats the
    /// names of what it is in.
    package static let nestedNames = Cost(
      base: 1 << 22, share: 16, most: 1 << 28, isLifted: true)
    /// Bytes of memory for the keys and values of a sorted table, by its size: each key may repeat most
    /// of the one before, blocks are packed, and what a value lists takes 8 times its bytes.
    package static let tableEntries = Cost(
      base: 1 << 24, share: 64, most: 1 << 28, isLifted: true)
    /// Bytes of the index of a `.ckz` file, by its packed size.
    package static let index = Cost(base: 1 << 20, share: 64, most: 1 << 32, isLifted: false)
  }

  /// The most that a file, or a part of it, of `size` bytes or values may cost.
  package func limit(of cost: Cost, size: Int) -> Int {
    if isUnlimited && cost.isLifted { return Shape.limit }
    return Swift.min(
      [cost.base, Swift.max(size, 0).saturated(times: cost.share)].saturatedSum(), cost.most)
  }

  /// What is left of a limit while a file is read.
  package struct Account: Sendable {
    /// What the limit was at first.
    package let limit: Int
    private var left: Int

    fileprivate init(limit: Int) {
      self.limit = limit
      left = limit
    }

    /// Takes `amount`, of 0 or more; returns false where less is left, and always from then on.
    package mutating func charge(_ amount: Int) -> Bool {
      if left >= 0 { left -= amount }
      return left >= 0
    }

    /// Gives back what was charged for something that is not there any more.
    package mutating func refund(_ amount: Int) {
      if left >= 0 { left += amount }
    }
  }

  /// An account of a cost, for a file or a part of `size` bytes or values.
  package func account(of cost: Cost, size: Int) -> Account {
    Account(limit: limit(of: cost, size: size))
  }

  /// Refuses values that a file claims and cannot hold.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` with both numbers and the remedy.
  package func checkValues(of byteCount: Int, inFileOf fileBytes: Int) throws(CheckpointError) {
    guard byteCount <= limit(of: .values, size: fileBytes) else {
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
