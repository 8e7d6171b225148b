import ByteIO
import Strided
import TensorCore

/// The bytes of a storage in a file.
struct PyTorchStorage: Sendable {
  /// Where the bytes are.
  enum Location: Sendable {
    /// A range of the file.
    case range(Range<Int>)
    /// A member of the archive that the file is.
    case member(ZipMember)
    /// In the pickle.
    case pickled
  }

  /// Where the bytes are.
  let location: Location
  /// Size in bytes.
  let byteCount: Int
  /// Whether numbers are big-endian.
  var isBigEndian = false
  /// Fills a span with the bytes starting at an offset.
  let read: @Sendable (_ offset: Int, _ target: inout MutableRawSpan) throws -> Void
  /// Checks the checksum of the whole storage, if the file has one and it has not been checked yet.
  var check: @Sendable () throws -> Void = {}
  /// Checks the storage, and makes reading it in any order cheap.
  var materialize: @Sendable () throws -> Void = {}

  /// A storage that is a range of a file.
  init(_ file: ByteSource, _ range: Range<Int>, isBigEndian: Bool) {
    location = .range(range)
    byteCount = range.count
    self.isBigEndian = isBigEndian
    read = { offset, target in try file.read(at: range.lowerBound + offset, into: &target) }
  }

  /// A storage that is a member of an archive.
  init(_ archive: ZipArchive, _ member: ZipMember, isBigEndian: Bool) {
    location = .member(member)
    byteCount = member.size
    self.isBigEndian = isBigEndian
    read = { offset, target in try archive.read(member, at: offset, into: &target) }
    check = { try archive.verify(member) }
    materialize = { try archive.materialize(member) }
  }

  /// A storage whose bytes are in a pickle.
  init(_ pickle: Pickle, _ pickled: PyTorchStorageReference.Pickled) {
    location = .pickled
    byteCount = pickled.bytes.count
    isBigEndian = pickled.isBigEndian
    let stored = pickle.storage(pickled.bytes)
    read = { offset, target in try stored(offset, &target) }
  }

  /// A reader of a tensor's bytes.
  ///
  /// Reading a whole storage detects damage at its end. If a tensor is only a part of the storage, or
  /// is gathered from it, the whole storage is checked first.
  func reader(of tensor: PyTorchTensor) -> Checkpoint.Entry.Reader {
    let layout = tensor.layout
    let (base, read, check, materialize) = (tensor.storage.viewOffset, read, check, materialize)
    let gather: Checkpoint.Entry.Reader
    if let stored = layout.contiguousRange {
      let isWhole = base == 0 && stored == 0..<byteCount
      gather = { range, target in
        if !isWhole { try check() }
        try read(base + stored.lowerBound + range.lowerBound, &target)
      }
    } else {
      let view = StridedView(layout)
      let isWhole = base == 0 && view.onlyRead == 0..<byteCount
      let prepare = view.onlyRead == nil ? materialize : check
      gather = { range, target in
        if !isWhole { try prepare() }
        try view.read(range, into: &target) { offset, part in try read(base + offset, &part) }
      }
    }
    guard let change = change(of: tensor) else { return gather }
    return { range, target in try change(range, &target, gather) }
  }

  /// A tensor's elements as the storage has them: with their most significant byte first, negated,
  /// or conjugated, where that is undone when they are read.
  func stored(_ entry: Checkpoint.Entry, as tensor: PyTorchTensor) -> Checkpoint.Entry {
    // What is done to elements as they are read undoes itself.
    change(of: tensor).map(entry.wrappingReader) ?? entry
  }

  /// What is done to elements between the storage and the tensor; `nil` for nothing.
  private func change(
    of tensor: PyTorchTensor
  ) -> (@Sendable (Range<Int>, inout MutableRawSpan, Checkpoint.Entry.Reader) throws -> Void)? {
    let dtype = tensor.info.dtype
    let isComplex = if case .complex = dtype.element.kind { true } else { false }
    let width = dtype.element.wordWidth
    let change = tensor.change
    let swaps = isBigEndian && width > 1
    if !swaps && change == .none { return nil }
    return { range, target, read in
      try Self.readChanged(
        range, into: &target, width: width, swaps: swaps, isComplex: isComplex, change, read)
    }
  }

  /// Reads whole elements, changes them, and hands over the bytes that are wanted.
  private static func readChanged(
    _ range: Range<Int>, into target: inout MutableRawSpan, width: Int, swaps: Bool,
    isComplex: Bool, _ change: ElementChange, _ gather: Checkpoint.Entry.Reader
  ) throws {
    try target.fillElements(range, width: width) { numbers, bytes in
      try gather(numbers.lowerBound * width..<numbers.upperBound * width, &bytes)
      if swaps { bytes.swapBytes(width: width) }
      if change == .none { return }
      for (index, number) in numbers.enumerated() {
        let isImaginary = isComplex && number % 2 == 1
        // Negation flips the sign of every part, conjugation that of imaginary parts; both together
        // cancel.
        if change.isNegative != (change.isConjugate && isImaginary) {
          let sign = index * width + width - 1
          bytes.storeBytes(
            of: bytes.bytes.littleEndian(UInt8.self, at: sign) ^ 0x80, toByteOffset: sign,
            as: UInt8.self)
        }
      }
    }
  }
}
