public import TensorCore

/// What a written file of a format can hold besides names, shapes, and bytes, and how it is written.
public struct Capabilities: Sendable {
  /// Element types that it has.
  public var dtypes: Set<DType>
  /// Whether tied tensors stay tied; if not, each is written out.
  public var keepsTies: Bool
  /// Whether tied tensors that stay tied share their bytes; if not, each is written out, so that
  /// every reader finds every name, and the file says which are tied.
  public var sharesBytes = true
  /// Whether the module tree is kept.
  public var keepsModules: Bool
  /// The kinds of value that other programs read as what they are; empty if the format has no room
  /// for values.
  public var values: Set<Value.Kind>
  /// The ways to store tensors that the format has besides ``WriteOptions/Compression/standard`` and
  /// ``WriteOptions/Compression/none``, which every format has.
  public var compressions: Set<WriteOptions.Compression>
  /// Whether a file holds one tensor, without its name.
  public var holdsOneTensor: Bool
  /// Whether several files with an index are read as one checkpoint.
  public var isSharded: Bool
  /// Whether a file is only ever written as a filled copy of another (``CheckpointFormat/fill``),
  /// since none can be made from nothing.
  public var needsTemplate = false
  /// Whether ``WriteOptions/nests`` gives nested dictionaries.
  public var nestsValues = false
  /// Most dimensions of a tensor that are read again.
  public var maxRank = 64
  /// Most bytes of a tensor's name that are read again; `nil` without a limit of its own.
  public var maxNameBytes: Int?
  /// Whether a name may contain a NUL.
  public var allowsNUL = true
  /// Bytes of a name from which on other programs do not read it, with what they are called.
  public var longNames: (from: Int, readers: String)?
  /// Element types that other programs read as something else, with what they read.
  public var seenAs: [DType: String] = [:]
  /// Further endings of files that are only written as filled copies of others.
  public var copiedEndings: [String] = []

  /// Lists what a format can carry.
  public init(
    dtypes: some Sequence<DType>, keepsTies: Bool = true, keepsModules: Bool = true,
    values: Set<Value.Kind> = [.text],
    compressions: Set<WriteOptions.Compression> = [], holdsOneTensor: Bool = false,
    isSharded: Bool = false
  ) {
    self.dtypes = Set(dtypes)
    self.keepsTies = keepsTies
    self.keepsModules = keepsModules
    self.values = values
    self.compressions = compressions
    self.holdsOneTensor = holdsOneTensor
    self.isSharded = isSharded
  }

  /// Refuses what the format cannot write.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` for a compression that it does not have,
  ///   several tensors where there is room for one, or an element type, a name, or a number of
  ///   dimensions that its reader would refuse; `malformed` for two tensors of one name.
  package func check(
    _ checkpoint: Checkpoint, _ options: WriteOptions = WriteOptions(), format: String
  ) throws(CheckpointError) {
    try check(options, format: format)
    if holdsOneTensor, checkpoint.entries.count != 1 {
      throw CheckpointError(
        .unsupported,
        "expected 1 tensor for .\(format), found \(checkpoint.entries.count); write .npz, or select one with --match"
      )
    }
    for entry in checkpoint.entries where !dtypes.contains(entry.info.dtype) {
      throw CheckpointError(
        .unsupported, "\(format) has no element type \(entry.info.dtype.rawValue)",
        tensor: entry.name.text)
    }
    for entry in checkpoint.entries { try check(entry, format: format) }
    try checkpoint.checkNames()
  }

  /// Refuses what a reader of the format would refuse.
  private func check(_ entry: Checkpoint.Entry, format: String) throws(CheckpointError) {
    let problem: String
    let length = entry.name.text.utf8.count
    if let maxNameBytes, length > maxNameBytes {
      problem = "expected a name of at most \(maxNameBytes) bytes for \(format), found \(length)"
    } else if !allowsNUL, entry.name.text.utf8.contains(0) {
      problem = "a name in a file of \(format) cannot contain a NUL; use --rename"
    } else if entry.info.shape.count > maxRank {
      problem =
        "expected at most \(maxRank) dimensions for \(format), found \(entry.info.shape.count)"
    } else {
      return
    }
    throw CheckpointError(.unsupported, problem, tensor: entry.name.text)
  }

  /// Refuses options that the format does not have.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported`.
  package func check(_ options: WriteOptions, format: String) throws(CheckpointError) {
    if options.parity != nil, format != CheckpointFormat.native.name {
      throw CheckpointError(
        .unsupported, "\(format) has no parity; write .ckz, or omit --parity")
    }
    let compression = options.compression
    if compression == .standard || compression == .none || compressions.contains(compression) {
      return
    }
    guard !compressions.isEmpty else {
      throw CheckpointError(.unsupported, "\(format) has no compression; omit --compression")
    }
    let names = Set(compressions.map(\.name)).union(["none"]).sorted().joined(separator: ", ")
    throw CheckpointError(
      .unsupported, "\(format) has no compression \(compression.text): expected one of \(names)")
  }

  /// The addresses of all values, sorted: those of what holds tensors as well one by one.
  private static func addresses(of checkpoint: Checkpoint) -> [String] {
    let holders = Set(
      checkpoint.entries.map { TensorName(String($0.name.text.prefix { $0 != "." })) })
    var addresses: [String] = []
    for named in checkpoint.values.sorted(by: { TensorName($0.name) < TensorName($1.name) })
    where !named.value.isSkeleton {
      if holders.contains(TensorName(named.name)) {
        named.value.forEachLeaf(at: named.name) { address, _ in addresses.append(address) }
      } else {
        addresses.append(named.name)
      }
    }
    return addresses
  }

  /// The losses when a checkpoint is written in the format, one sentence each.
  package func losses(
    of checkpoint: Checkpoint, _ options: WriteOptions = WriteOptions(), format: String
  ) -> [String] {
    var losses: [String] = []
    let tied = checkpoint.entries.filter { $0.alias != nil }
    if !keepsTies, let first = tied.first, let original = first.alias {
      let more = tied.count == 1 ? "" : " and \(tied.count - 1) more"
      losses.append(
        "\(format) has no tied tensors; written out: '\(first.name)' (= '\(original)')\(more)")
    }
    if !keepsModules, !checkpoint.modules.isEmpty {
      losses.append("\(format) cannot hold the module tree; it is left out")
    }
    let lost = values.isEmpty ? Self.addresses(of: checkpoint) : []
    if !lost.isEmpty {
      losses.append("\(format) cannot hold values; left out: \(lost.listed(upTo: 12))")
    }
    if nestsValues, !options.nests {
      let names = checkpoint.ownValues.filter { !$0.value.isSkeleton }.map(\.name)
      if !names.isEmpty {
        losses.append(
          "values are stored where only ckpt reads them: \(names.listed(upTo: names.count > 3 ? 2 : 3))"
            + "; convert --all nests them")
      }
    }
    if nestsValues, options.nests {
      losses += checkpoint.ownValues.flatMap { named in
        named.value.objects(at: named.name) { !$0.isUnread && !PyTorchNesting.loads($0) }.map {
          address, name in
          "\(format) files that load with weights_only=True have no \(name): '\(address)' is written "
            + "without its class"
        }
      }
    }
    if let longNames {
      let long = checkpoint.entries.filter { $0.name.text.utf8.count >= longNames.from }
      if let first = long.first {
        let more = long.count == 1 ? "" : " and \(long.count - 1) more"
        losses.append(
          "\(longNames.readers) does not read names of \(longNames.from) bytes or more: '\(first.name)'\(more)"
        )
      }
    }
    for (dtype, other) in seenAs {
      let entries = checkpoint.entries.filter { $0.info.dtype == dtype }
      guard let first = entries.first else { continue }
      let more = entries.count == 1 ? "" : " and \(entries.count - 1) more"
      losses.append(
        "\(format) has no \(dtype.torchName): other programs read \(other); '\(first.name)'\(more);"
          + " pass --dtype float32 to write numbers")
    }
    return losses
  }
}
