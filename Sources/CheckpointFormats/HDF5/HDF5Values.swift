import HDF5
import TensorCore

/// Attributes, and datasets that are not tensors, as values, and back.
///
/// An attribute of the root has its own name. That of a group or of a dataset follows its dotted name
/// and `@`: `encoder@units`, `encoder.weight@scale`. A dataset of strings has its dotted name.
enum HDF5Values {
  /// Separates the name of an attribute from that of the object that has it.
  static let mark = UInt8(ascii: "@")

  /// All values of a file, the root's first; a dataset with several names has its values under that
  /// which comes first in `datasets`.
  static func all(
    _ table: HDF5Table, _ datasets: [HDF5Table.Dataset], _ others: [HDF5Table.Other], isOurs: Bool
  ) -> [Checkpoint.Named] {
    var found: [Checkpoint.Named] = []
    var names: Set<TensorName> = []
    var room = ValueRoom()
    func add(_ name: String, _ attribute: HDF5Attribute) {
      guard names.insert(TensorName(name)).inserted else { return }
      found.append(Checkpoint.Named(name, value(attribute, &room)))
    }
    func add(_ attributes: [HDF5Attribute], of path: [String], except hidden: [String]) {
      if attributes.isEmpty { return }
      let owner = path.isEmpty ? "" : HDF5Path.name(path, isEscaped: isOurs) + "@"
      for attribute in attributes where !hidden.contains(attribute.name) {
        add(owner + (isOurs ? HDF5Path.unescaped(attribute.name) : attribute.name), attribute)
      }
    }
    for group in table.groups {
      add(group.attributes, of: group.path, except: isOurs ? HDF5Layout.reserved : [])
    }
    var addresses: Set<UInt64> = []
    for dataset in datasets where !dataset.attributes.isEmpty {
      guard addresses.insert(dataset.address).inserted else { continue }
      // An attribute that names the type of opaque elements says nothing more than the type does.
      let isNamed =
        dataset.attributes.elementName.flatMap { DType(named: $0) } == dataset.info.dtype
      add(dataset.attributes, of: dataset.path, except: isNamed ? [HDF5Layout.elementName] : [])
    }
    for other in others {
      add(HDF5Path.name(other.path, isEscaped: isOurs), other.content)
      add(other.attributes, of: other.path, except: [])
    }
    return found
  }

  private static func value(_ attribute: HDF5Attribute, _ room: inout ValueRoom) -> Value {
    let elements: [Value]
    switch attribute.value {
    case .text(let text): return .text(text)
    case .integer(let number): return .integer(number)
    case .real(let number): return .real(number)
    case .bool(let value): return .bool(value)
    case .none: return .null
    case .other(let what): return .unread(what)
    case .texts(let texts): elements = texts.map(Value.text)
    case .integers(let numbers): elements = numbers.map(Value.integer)
    case .reals(let numbers): elements = numbers.map(Value.real)
    case .bools(let values): elements = values.map(Value.bool)
    }
    guard room.take(elements.count) else {
      return .unread("an array of \(elements.count) elements")
    }
    return attribute.shape.isEmpty ? .list(elements) : elements.nested(attribute.shape[...])
  }

  /// The attribute's value for a value; `nil` if HDF5 has no type for it.
  static func stored(_ value: Value) -> HDF5Value? {
    switch value {
    case .null: return HDF5Value.none
    case .bool(let value): return .bool(value)
    case .integer(let number): return .integer(number)
    case .real(let number): return .real(number)
    case .text(let text): return text.utf8.contains(0) ? nil : .text(text)
    case .list(let elements): return stored(elements)
    case .bytes, .tuple, .dictionary, .opaque: return nil
    }
  }

  /// A list of one kind of scalar.
  private static func stored(_ elements: [Value]) -> HDF5Value? {
    var texts: [String] = []
    var integers: [Int] = []
    var reals: [Double] = []
    var bools: [Bool] = []
    for element in elements {
      switch element {
      case .text(let text) where !text.utf8.contains(0): texts.append(text)
      case .integer(let number): integers.append(number)
      case .real(let number): reals.append(number)
      case .bool(let value): bools.append(value)
      default: return nil
      }
    }
    return switch elements.count {
    case 0: nil
    case texts.count: .texts(texts)
    case integers.count: .integers(integers)
    case reals.count: .reals(reals)
    case bools.count: .bools(bools)
    default: nil
    }
  }
}
