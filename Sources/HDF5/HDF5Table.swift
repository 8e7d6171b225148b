package import TensorCore

/// What an HDF5 file holds, in plain values: nothing in it refers to the library.
package struct HDF5Table: Sendable {
  /// A table without anything.
  package init() {}

  /// The root and every group below it, parents first.
  package var groups: [Group] = []
  /// Every dataset of numbers.
  ///
  /// In each group the datasets come before those of its subgroups, and
  /// links come in creation order where the file has recorded it, else in the order of their names.
  package var datasets: [Dataset] = []
  /// What was met and is not in the table, one sentence each.
  package var notes: [String] = []

  /// A group: a place for datasets and other groups.
  package struct Group: Sendable {
    /// Link names from the root; empty for the root.
    package let path: [String]
    package let attributes: [HDF5Attribute]

    package init(path: [String], attributes: [HDF5Attribute]) {
      self.path = path
      self.attributes = attributes
    }
  }

  /// A dataset whose elements are numbers.
  package struct Dataset: Sendable {
    /// Link names from the root.
    package let path: [String]
    /// Address of the object's header, alike for two links to one dataset.
    package let address: UInt64
    package let info: TensorInfo
    package let storage: Storage
    /// Bytes of each word that stand in the file in the other order than in memory, 1 for none.
    package var swapWidth = 1
    /// Bytes of an element that was never written; empty for zeros.
    package var fill: [UInt8] = []
    package let filters: [Filter]
    package let attributes: [HDF5Attribute]

    package init(
      path: [String], address: UInt64, info: TensorInfo, storage: Storage, filters: [Filter],
      attributes: [HDF5Attribute]
    ) {
      (self.path, self.address, self.info) = (path, address, info)
      (self.storage, self.filters, self.attributes) = (storage, filters, attributes)
    }
  }

  /// Where a dataset's bytes are.
  package enum Storage: Sendable, Hashable {
    /// At this offset in the file, row-major.
    case plain(offset: Int)
    /// In chunks, each packed by the dataset's filters, which are none but shuffle, gzip and
    /// fletcher32, in this order. ``HDF5File`` gives them as they are stored.
    case chunks(Chunks)
    /// Nowhere: all elements are the fill value.
    case unwritten
    /// Behind the library: of a type or in chunks of a rarer kind. The shape is that of a chunk, or
    /// of one element where there are no chunks.
    case library(chunk: [Int])
    /// Not to be had, for this reason.
    case refused(String)
  }

  /// How a dataset is divided into chunks, and how their places are found.
  package struct Chunks: Sendable, Hashable {
    /// The shape of a chunk.
    package let shape: [Int]
    /// Largest sizes of the dataset, by which some indexes count; `nil` for no limit.
    let largest: [Int?]
    let index: Index
    /// Bytes of a filtered chunk's size in the index, where it is not that of all lengths.
    let sizeWidth: Int?
    /// Whether chunks that go beyond the dataset's edge passed by the filters.
    let sparesEdges: Bool

    /// The kinds of index, and their addresses.
    enum Index: Sendable, Hashable {
      /// No chunk was written.
      case none
      case tree1(UInt64)
      case single(UInt64, size: Int?, mask: Int)
      case implicit(UInt64)
      case fixedArray(UInt64)
      case extensibleArray(UInt64)
      case tree2(UInt64)
    }
  }

  /// A step through which each chunk went on its way to the file.
  package struct Filter: Sendable, Hashable {
    /// Number in the registry of The HDF Group.
    package let number: Int
    /// Name for messages, `gzip`; the registry's, or what the file calls it.
    package let name: String

    package init(number: Int, name: String) {
      self.number = number
      self.name = name
    }

    /// Number of the filter that puts the planes of elements behind each other.
    package static let shuffle = 2
    /// Number of the filter that packs as one zlib stream.
    package static let gzip = 1
    /// Number of the filter that adds a checksum.
    package static let fletcher32 = 3
  }
}

/// A named value on a group or a dataset.
package struct HDF5Attribute: Sendable, Hashable {
  package let name: String
  package let value: HDF5Value

  package init(_ name: String, _ value: HDF5Value) {
    self.name = name
    self.value = value
  }
}

/// The kinds of attribute that checkpoints use.
package enum HDF5Value: Sendable, Hashable {
  /// One text.
  case text(String)
  /// A row of texts.
  case texts([String])
  /// One whole number.
  case integer(Int)
  /// A row of whole numbers.
  case integers([Int])
  /// Anything else; not read.
  case other
}

extension [HDF5Attribute] {
  /// The value under a name, compared as bytes.
  package func value(_ name: String) -> HDF5Value? {
    first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }

  /// What the attribute `dtype` says of a dataset's opaque elements.
  package var elementName: String? {
    if case .text(let text)? = value("dtype") { text } else { nil }
  }
}
