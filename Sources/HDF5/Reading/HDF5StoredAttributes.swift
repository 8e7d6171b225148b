import TensorCore

/// The attributes of an object, sorted by name.
///
/// They are messages of the object header or, if there are many, objects in a fractal heap.
///
/// Source: HDF5 File Format Specification 3.0, sections IV.A.2.m "The Attribute Message" and
/// IV.A.2.v "The Attribute Info Message".
struct HDF5StoredAttributes {
  private let metadata: HDF5Metadata
  private var attributes: [HDF5Attribute] = []

  /// Reads all attributes of an object.
  static func all(
    of header: HDF5ObjectHeader, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [HDF5Attribute] {
    guard header.has(.attribute) || header.has(.attributeInfo) else { return [] }
    var found = Self(metadata: metadata)
    for message in header.messages {
      switch message.kind {
      case .attribute:
        try found.take(try HDF5SharedMessages.body(of: message, in: metadata))
      case .attributeInfo: try found.takeMany(message.body)
      default: break
      }
    }
    if found.attributes.count > 1 {
      found.attributes.sort { TensorName($0.name) < TensorName($1.name) }
    }
    return found.attributes
  }

  private init(metadata: HDF5Metadata) { self.metadata = metadata }

  /// Reads the attributes in a heap, given the attribute info message.
  private mutating func takeMany(_ message: HDF5Cursor) throws(CheckpointError) {
    var info = message
    try info.expect(version: 0, of: "attribute info message")
    if try info.byte() & 1 != 0 { try info.skip(2) }  // largest creation index
    guard let address = try info.address(), let tree = try info.address() else { return }
    let heap = try HDF5FractalHeap(address, in: metadata)
    var bodies: [HDF5Cursor] = []
    let metadata = metadata
    // A record (type 8) is a heap identifier, message flags, creation order, and hash of the name.
    try HDF5RecordTree(tree, in: metadata).forEach(in: metadata) { record throws(CheckpointError) in
      var record = record
      let identifier = try record.bytes(8)
      // Bit 1 of the message flags: the attribute is in the file's heap of shared messages instead.
      if try record.byte() & 2 != 0 {
        bodies.append(
          try HDF5SharedMessages.heap(for: .attribute, in: metadata).object(
            identifier, in: metadata))
      } else {
        bodies.append(try heap.object(identifier, in: metadata))
      }
    }
    for body in bodies { try take(body) }
  }

  /// Takes one attribute message.
  private mutating func take(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    let version = try body.byte()
    guard (1...3).contains(version) else {
      throw body.malformed("attribute message of version \(version)")
    }
    let second = try body.byte()
    let flags = version == 1 ? 0 : second
    let nameSize = try body.integer(2)
    let typeSize = try body.integer(2)
    let spaceSize = try body.integer(2)
    if version == 3 { try body.skip(1) }  // character set of the name: ASCII or UTF-8
    // Version 1 pads name, datatype, and dataspace to multiples of 8 bytes; their sizes leave that
    // out.
    func filled(_ size: Int) -> Int { version == 1 ? (size + 7) / 8 * 8 : size }
    let nameBytes = try body.bytes(filled(nameSize)).prefix { $0 != 0 }
    guard let name = String(validating: nameBytes, as: UTF8.self) else {
      throw message.malformed("an attribute name is not UTF-8")
    }
    var type = try body.part(filled(typeSize))
    var space = try body.part(filled(spaceSize))
    if flags & 1 != 0 {
      type = try HDF5SharedMessages.target(of: &type, kind: .datatype, in: metadata)
    }
    if flags & 2 != 0 {
      space = try HDF5SharedMessages.target(of: &space, kind: .dataspace, in: metadata)
    }
    attributes.append(
      try HDF5ValueReader.attribute(
        name, try HDF5Datatype(type), try HDF5Dataspace(space).shape, &body, in: metadata))
  }
}
