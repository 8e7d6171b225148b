import ByteIO
import TensorCore

/// The times in object headers, which the library sets to the present when it changes an object.
enum HDF5ObjectTimes {
  /// Gives objects of a changed copy the times that they have in the original.
  static func restore(
    _ addresses: [UInt64], of original: HDF5File, in copy: ByteSink
  ) throws(CheckpointError) {
    let old = HDF5Metadata(original.input, original.superblock)
    let input = try copy.readBack()
    let new = HDF5Metadata(input, try HDF5Superblock(input))
    for address in addresses {
      let times = try HDF5ObjectHeader(address, in: old).times
      if times.isEmpty { continue }
      let header = try HDF5ObjectHeader(address, in: new)
      for (from, to) in zip(times, header.times) where from.count == to.count {
        let bytes = try original.input.bytes(from)
        try copy.write(bytes.rawBytes, at: to.lowerBound)
      }
      guard let summed = header.timesChecksum else { continue }
      var sum: [UInt8] = []
      sum.appendLittleEndian(HDF5Checksum.lookup3(try input.bytes(summed)[...]))
      try copy.write(sum.rawBytes, at: summed.upperBound)
    }
  }
}
