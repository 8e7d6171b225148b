internal import CHDF5
import TensorCore

/// Writes attributes to an open group or dataset through libhdf5.
enum HDF5Attributes {
  /// Writes an attribute; ``HDF5Value/other`` is skipped.
  ///
  /// Integers are 64-bit little-endian. Text is UTF-8 of variable length, which lives in the global
  /// heap and so does not count toward the 64 KiB that an object header message may hold.
  static func write(
    _ attribute: HDF5Attribute, on object: hid_t
  ) throws(CheckpointError) {
    switch attribute.value {
    case .text(let text): try write([text], isRow: false, attribute.name, object)
    case .texts(let texts): try write(texts, isRow: true, attribute.name, object)
    case .integer(let number):
      try write([number], isRow: false, H5T_STD_I64LE, attribute.name, object)
    case .integers(let numbers):
      try write(numbers, isRow: true, H5T_STD_I64LE, attribute.name, object)
    case .real(let number):
      try write([number], isRow: false, H5T_IEEE_F64LE, attribute.name, object)
    case .reals(let numbers):
      try write(numbers, isRow: true, H5T_IEEE_F64LE, attribute.name, object)
    case .bool(let value): try write([value], isRow: false, attribute.name, object)
    case .bools(let values): try write(values, isRow: true, attribute.name, object)
    case .none:
      let space = try HDF5Handle(
        attribute.name, H5Screate(H5S_NULL), closedBy: H5Sclose, .system)
      _ = try HDF5Handle(
        attribute.name,
        unsafe H5Acreate2(
          object, attribute.name, H5T_IEEE_F32LE, space.id, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT)),
        closedBy: H5Aclose, .system)
    case .other: break
    }
  }

  private static func write(
    _ values: [Bool], isRow: Bool, _ name: String, _ object: hid_t
  ) throws(CheckpointError) {
    let type = try HDF5Types.type(.bool)
    try write(values.map { Int8($0 ? 1 : 0) }, isRow: isRow, type.id, name, object)
  }

  private static func write<Number: BitwiseCopyable>(
    _ numbers: [Number], isRow: Bool, _ type: hid_t, _ name: String, _ object: hid_t
  ) throws(CheckpointError) {
    try write(name, object, type, count: isRow ? numbers.count : nil) {
      unsafe H5Awrite($0, type, numbers)
    }
  }

  private static func write(
    _ texts: [String], isRow: Bool, _ name: String, _ object: hid_t
  ) throws(CheckpointError) {
    let type = try HDF5Types.copy(H5T_C_S1)
    try checked("text type", H5Tset_size(type.id, -1))  // H5T_VARIABLE
    try checked("text type", H5Tset_cset(type.id, H5T_CSET_UTF8))
    // libhdf5 wants an array of pointers to C strings; all of them point into this one buffer.
    var bytes: [CChar] = []
    var starts: [Int] = []
    for text in texts {
      starts.append(bytes.count)
      bytes += text.utf8CString
    }
    try write(name, object, type.id, count: isRow ? texts.count : nil) { attribute in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        let pointers = unsafe starts.map { start in
          unsafe bytes.baseAddress.map { unsafe $0 + start }
        }
        return unsafe H5Awrite(attribute, type.id, pointers)
      }
    }
  }

  private static func write(
    _ name: String, _ object: hid_t, _ type: hid_t, count: Int?, _ body: (hid_t) -> herr_t
  ) throws(CheckpointError) {
    let what = "attribute '\(name)'"
    let space: HDF5Handle
    if let count {
      space = try HDF5Space.simple([count])
    } else {
      space = try HDF5Handle(what, H5Screate(H5S_SCALAR), closedBy: H5Sclose, .system)
    }
    let attribute = try HDF5Handle(
      what,
      unsafe H5Acreate2(
        object, name, type, space.id, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT)),
      closedBy: H5Aclose, .system)
    try checked(what, body(attribute.id), .system)
  }
}
