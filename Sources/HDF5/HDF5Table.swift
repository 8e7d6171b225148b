package import TensorCore

/// The contents of an HDF5 file as plain values: nothing in it refers to the library.
package struct HDF5Table: Sendable {
  /// Creates an empty table.
  package init() {}

  /// The root and every group below it, parents first.
  package var groups: [Group] = []
  /// Every dataset of numbers.
  ///
  /// In each group the datasets come before those of its subgroups, and links come in creation order
  /// where the file has recorded it, else in the order of their names.
  package var datasets: [Dataset] = []
  /// Every dataset that is not a tensor: strings, and what is not read.
  package var others: [Other] = []
  /// One sentence for each object or link that the table leaves out.
  package var notes: [String] = []

  /// A group: a folder of datasets and other groups.
  package struct Group: Sendable {
    /// Link names from the root; empty for the root.
    package let path: [String]
    package let attributes: [HDF5Attribute]

    package init(path: [String], attributes: [HDF5Attribute]) {
      self.path = path
      self.attributes = attributes
    }
  }

  /// A dataset whose elements are numbers; one object, because a file may have a million of them.
  package final class Dataset: Sendable {
    /// Link names from the root.
    package let path: [String]
    /// Address of the object's header; equal for two hard links to one dataset.
    package let address: UInt64
    package let info: TensorInfo
    package let storage: Storage
    package let filters: [Filter]
    package let attributes: [HDF5Attribute]
    /// How the dataset is laid out, whether or not anything was written.
    package let layout: Layout
    /// Version of the message that states the layout; 5 is that of HDF5 2.
    package let layoutVersion: Int
    /// Whether libhdf5 converts elements: stored integers of fewer bits, complex numbers with gaps.
    package let isConverted: Bool
    /// Width in bytes of the words that are stored big-endian and must be swapped; 1 if none are.
    package let swapWidth: Int
    /// How the bytes of elements are read without libhdf5, where ``storage`` says that it writes them.
    package let own: Storage?
    /// Where the bits of integers are that do not fill their bytes.
    package let bits: HDF5Bits?
    /// Size in bytes of the elements that the shuffle filter divides, if it is not that of `info`:
    /// strings are read as bytes, and arrays as their elements.
    package let elementSize: Int?
    /// Number of the last dimensions that are those of an element: 1 of a string, some of an array.
    package let innerRank: Int
    /// Bytes in memory of an element that was never written; empty for zeros.
    package let fill: [UInt8]
    /// Where the elements of a virtual dataset are.
    package let sources: [VirtualSource]
    /// What the file says about the elements and their type does not.
    package let remark: String?

    package init(
      path: [String], address: UInt64, info: TensorInfo, storage: Storage, filters: [Filter],
      attributes: [HDF5Attribute], layout: Layout = .contiguous, layoutVersion: Int = 3,
      isConverted: Bool = false, swapWidth: Int = 1, own: Storage? = nil, bits: HDF5Bits? = nil,
      elementSize: Int? = nil, innerRank: Int = 0,
      fill: [UInt8] = [], sources: [VirtualSource] = [], remark: String? = nil
    ) {
      (self.path, self.address, self.info) = (path, address, info)
      (self.storage, self.filters, self.attributes) = (storage, filters, attributes)
      (self.layout, self.layoutVersion, self.isConverted) = (layout, layoutVersion, isConverted)
      (self.swapWidth, self.own, self.bits) = (swapWidth, own, bits)
      (self.elementSize, self.innerRank) = (elementSize, innerRank)
      (self.fill, self.sources, self.remark) = (fill, sources, remark)
    }

    /// Why the dataset cannot be read; `nil` if it can.
    package var refusal: String? {
      if case .refused(let reason) = storage { reason } else { nil }
    }

    /// Size in bytes of an unpacked chunk; `nil` if there are no chunks.
    package var chunkSize: Int? {
      guard case .chunked(let shape) = layout else { return nil }
      return (try? TensorInfo(dtype: info.dtype, shape: shape))?.byteCount
    }

    /// Number of chunks that the dataset has when all are written; 0 if it is not divided into any.
    package var chunkCount: Int {
      guard case .chunked(let chunk) = layout else { return 0 }
      return zip(info.shape, chunk).reduce(1) { count, sizes in
        let (size, step) = sizes
        return step < 1 ? count : count.saturated(times: size / step + (size % step == 0 ? 0 : 1))
      }
    }
  }

  /// Elements of a virtual dataset that are elements of another dataset of the file, in row-major
  /// order of both.
  package struct VirtualSource: Sendable {
    package let dataset: Dataset
    /// The elements of ``dataset``, as many as ``target`` has.
    package let source: HDF5Runs
    /// The elements of the virtual dataset.
    package let target: HDF5Runs
  }

  /// A dataset whose elements are not numbers.
  package struct Other: Sendable {
    /// Link names from the root.
    package let path: [String]
    /// Its content; the attribute's name is empty.
    package let content: HDF5Attribute
    package let attributes: [HDF5Attribute]
    /// The chunks of a dataset of strings, from which ``HDF5File/others(reading:)`` makes the content.
    package var packed: PackedStrings?
  }

  /// Strings that are stored in chunks.
  package struct PackedStrings: Sendable {
    /// The strings, or the references to them, as bytes: one more dimension than the strings have.
    package let bytes: Dataset
    let type: HDF5Datatype
    let shape: [Int]
  }

  /// The layouts that a dataset can be given.
  package enum Layout: Sendable, Hashable {
    /// One run of bytes.
    case contiguous
    /// In the object header, which may have a checksum.
    case compact
    /// Chunks of this shape.
    case chunked([Int])
  }

  /// Where and how a dataset's bytes are stored.
  package enum Storage: Sendable, Hashable {
    /// At this offset in the file, row-major.
    case plain(offset: Int)
    /// In chunks, each packed by the dataset's filters, all of which are undone without libhdf5.
    /// ``HDF5ChunkIndex`` reads them as stored.
    case chunks(Chunks)
    /// Nowhere: all elements are the fill value.
    case unwritten
    /// In other datasets of the file (``Dataset/sources``); elsewhere elements are the fill value.
    case virtual
    /// Written only through libhdf5, because of a rare element type or filter, and read through it
    /// unless ``Dataset/own`` says how else. The shape is that of a chunk, or without
    /// chunks of one element.
    case library(chunk: [Int])
    /// Not readable, for this reason.
    case refused(String)
  }

  /// How a dataset is divided into chunks, and how they are found in the file.
  package struct Chunks: Sendable, Hashable {
    /// The shape of a chunk; chunks at the edge are stored at full size.
    package let shape: Shape
    /// Maximum sizes of the dataset, by which some indexes number chunks; `nil` for no limit.
    let maxSizes: [Int?]
    let index: Index
    /// Bytes of a filtered chunk's size in the index, where they differ from the file's lengths.
    let sizeWidth: Int?
    /// Whether partial chunks at the dataset's edge are stored unfiltered.
    let sparesEdges: Bool

    /// The kinds of chunk index, each with its address.
    enum Index: Sendable, Hashable {
      /// No chunk was written.
      case none
      /// B-tree of version 1 (III.A.1), the only index before HDF5 1.10.
      case tree1(UInt64)
      /// One chunk (VII.A), with its size and filter mask if it is filtered.
      case single(UInt64, size: Int?, mask: Int)
      /// Unfiltered chunks in order, without an index (VII.B).
      case implicit(UInt64)
      /// For datasets of fixed shape (VII.C).
      case fixedArray(UInt64)
      /// For datasets with one unlimited dimension (VII.D).
      case extensibleArray(UInt64)
      /// B-tree of version 2 (VII.E), for several unlimited dimensions.
      case tree2(UInt64)
    }
  }

  /// A step of the filter pipeline that each chunk passed through when it was written.
  package struct Filter: Sendable, Hashable {
    /// Number in the registry of The HDF Group.
    package let number: Int
    /// Name for messages, such as `gzip`: the registry's, else the one in the file.
    package let name: String
    /// The filter's parameters in this dataset, such as the level of gzip.
    package let values: [Int]

    package init(number: Int, name: String, values: [Int]) {
      self.number = number
      self.name = name
      self.values = values
    }

    /// Stores the first bytes of all elements, then the second bytes, and so on.
    package static let shuffle = 2
    /// Packs the chunk as one zlib stream (RFC 1950).
    package static let gzip = 1
    /// Appends a Fletcher-32 checksum of 4 bytes.
    package static let fletcher32 = 3
    /// Stores only the bits that elements use.
    package static let nbit = 5
    /// Stores differences from the smallest value; floating-point numbers are rounded.
    package static let scaleOffset = 6
    /// LibLZF, which comes with h5py.
    package static let lzf = 32000
    /// c-blosc 1.
    package static let blosc = 32001
    /// Blocks of LZ4, each preceded by its size.
    package static let lz4 = 32004
    /// Bits by their position in the elements, then LZ4 or Zstandard if the parameters say so.
    package static let bitshuffle = 32008
    /// One Zstandard frame.
    package static let zstd = 32015
  }
}

/// A named value attached to a group or a dataset.
package struct HDF5Attribute: Sendable, Hashable {
  package let name: String
  package let value: HDF5Value
  /// The sizes of an array of several dimensions; empty for any other value.
  package let shape: [Int]

  package init(_ name: String, _ value: HDF5Value, shape: [Int] = []) {
    self.name = name
    self.value = value
    self.shape = shape
  }
}

/// The kinds of attribute that checkpoints use.
package enum HDF5Value: Sendable, Hashable {
  /// A scalar string.
  case text(String)
  /// An array of strings.
  case texts([String])
  /// A scalar integer.
  case integer(Int)
  /// An array of integers, flattened in row-major order.
  case integers([Int])
  /// A scalar floating-point number.
  case real(Double)
  /// An array of floating-point numbers, flattened in row-major order.
  case reals([Double])
  /// A scalar truth value, as h5py stores it.
  case bool(Bool)
  /// An array of truth values, flattened in row-major order.
  case bools([Bool])
  /// A type without elements, which h5py calls `Empty`.
  case none
  /// Any other type, in words; its value is not read.
  case other(String)
}

extension [HDF5Attribute] {
  /// The value under a name; names are compared as UTF-8 bytes.
  package func value(_ name: String) -> HDF5Value? {
    first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }

  /// The attribute `dtype`, which names the type of a dataset's opaque elements (as Keras 3 does).
  package var elementName: String? {
    if case .text(let text)? = value("dtype") { text } else { nil }
  }
}
