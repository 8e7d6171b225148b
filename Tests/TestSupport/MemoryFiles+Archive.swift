package import ByteIO
package import TensorCore

extension MemoryFiles {
  /// The bytes of a zip archive of these members, in order.
  package static func archive(_ members: [(TensorName, [UInt8])]) throws -> [UInt8] {
    let files = MemoryFiles()
    let sink = try files.place.create("a", replacing: true)
    var writer = ZipWriter(sink)
    for (name, bytes) in members { try writer.add(name, bytes) }
    try writer.finish()
    try sink.commit()
    return files.bytes(of: "a") ?? []
  }
}
