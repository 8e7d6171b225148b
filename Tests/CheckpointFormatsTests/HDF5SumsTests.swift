import ByteIO
import CheckpointFormats
import JSONText
import TensorCore
import TestSupport
import Testing

/// Every checksum that HDF5 has is verified: a changed bit in anything that has one is found.
@Suite struct HDF5SumsTests {
  /// Kind, offset, and number of bytes of each part of a file that has a checksum.
  private typealias Part = (kind: String, offset: Int, count: Int)

  private static func parts() throws -> [Part] {
    let text = String(decoding: try Fixtures.bytes("hdf5/sums/structures.json"), as: UTF8.self)
    guard case .array(let rows) = try JSONValue(text).content else { return [] }
    return rows.compactMap { row in
      guard case .array(let parts) = row.content, case .string(let kind) = parts[0].content,
        case .number(let offset) = parts[1].content, case .number(let count) = parts[2].content,
        let offset = Int(offset), let count = Int(count)
      else { return nil }
      return (kind, offset, count)
    }
  }

  private func error(_ bytes: [UInt8]) async throws -> (any Error)? {
    do {
      let probe = try FileProbe("a.h5", in: MemoryFiles(["a.h5": bytes]).place)
      return await damage(probe, .hdf5)
    } catch {
      return error
    }
  }

  @Test func `a changed bit in any structure, index, or chunk that has a checksum is found`()
    async throws
  {
    let whole = try Fixtures.bytes("hdf5/sums/structures.h5")
    #expect(try await error(whole) == nil)
    let parts = try Self.parts()
    #expect(
      Set(parts.map(\.kind)) == [
        "superblock", "mappings", "fletcher32", "OHDR", "OCHK", "BTHD", "BTIN", "BTLF", "FRHP",
        "FHDB", "FHIB", "FAHD", "FADB", "EAHD", "EAIB", "EASB", "EADB",
      ])
    for (kind, offset, count) in parts {
      for place in Set([4, 5, 8, count / 2, count - 5, count - 1]) where place < count {
        var bytes = whole
        bytes[offset + place] ^= 1
        let found = try await error(bytes)
        #expect(found is CheckpointError, "\(kind) at \(offset), byte \(place)")
      }
    }
  }

  @Test func `a changed bit in the table of shared messages is found`() async throws {
    let whole = try Fixtures.bytes("hdf5/ways/shared-v110.h5")
    #expect(try await error(whole) == nil)
    let table = try #require(
      whole.indices.first { whole[$0...].prefix(4).elementsEqual("SMTB".utf8) })
    for place in 4..<20 {
      var bytes = whole
      bytes[table + place] ^= 1
      #expect(try await error(bytes) is CheckpointError, "byte \(place)")
    }
  }

  @Test func `the error of a heap's block names its place and both sums`() async throws {
    var bytes = try Fixtures.bytes("hdf5/sums/structures.h5")
    let block = try #require(try Self.parts().first { $0.kind == "FHDB" })
    bytes[block.offset + 40] ^= 4
    let found = try #require(try await error(bytes) as? CheckpointError)
    #expect(found.offset == block.offset && found.message.hasPrefix("expected checksum "))
  }
}
