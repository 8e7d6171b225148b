import ByteIO
import JSONText
import TensorCore

/// Values and the module tree in formats that do not have all kinds of value: as text.
///
/// A value of another kind becomes the text of its exact JSON under its own name, and a list names
/// those that did: `epoch` is the text `3` to other programs and the integer 3 to this one.
extension Checkpoint {
  /// Name of the module tree in formats that hold no other.
  static let modulesKey = "ckpt.modules"
  /// Name of the JSON list of the values that are written as JSON text.
  static let typedKey = "ckpt.values"

  /// The values, those that `isHeld` refuses as text, with the module tree among them if the format
  /// holds no other.
  func values(
    withModules: Bool = true, where isHeld: (Named) -> Bool
  ) -> [Named] {
    var typed: [String] = []
    var all = values.map { named in
      if isHeld(named) { return named }
      typed.append(named.name)
      var json = JSONWriter()
      json.exact(named.value)
      return Named(named.name, .text(json.text))
    }
    if withModules, !modules.isEmpty {
      var json = JSONWriter()
      json.modules(modules)
      all.append(Named(Self.modulesKey, .text(json.text)))
    }
    if !typed.isEmpty {
      var json = JSONWriter()
      json.strings(typed)
      all.append(Named(Self.typedKey, .text(json.text)))
    }
    return all
  }

  /// The values and the module tree for formats that hold only text.
  var texts: [String: String] {
    var texts: [String: String] = [:]
    let all = values { if case .text = $0.value { true } else { false } }
    for named in all {
      if case .text(let text) = named.value { texts[named.name] = text }
    }
    return texts
  }
}

extension Opened {
  /// Takes module tree and values out of the texts in which ``Checkpoint/values(where:)`` put them.
  ///
  /// A text that does not say what its name promises is left as it is, with a note.
  mutating func restoreFromTexts() {
    let modules = Checkpoint.modulesKey
    if let text = checkpoint.text(modules) {
      do {
        checkpoint.modules = try Self.modules(Array(text.utf8))
        checkpoint.setText(nil, for: modules)
      } catch {
        notes.append("metadata '\(modules)' is not a module tree; left as it is")
      }
    }
    guard let list = checkpoint.text(Checkpoint.typedKey) else { return }
    guard let names = (try? JSONValue(list))?.elements else {
      notes.append("metadata '\(Checkpoint.typedKey)' is not a list of names; left as it is")
      return
    }
    let typed = Set(names.compactMap(\.text).map { TensorName($0) })
    var room = ValueRoom()
    checkpoint.values.removeAll { $0.name == Checkpoint.typedKey }
    for index in checkpoint.values.indices {
      let named = checkpoint.values[index]
      guard typed.contains(TensorName(named.name)), case .text(let text) = named.value else {
        continue
      }
      if let value = Value(exact: text, in: &room) {
        checkpoint.values[index].value = value
      } else {
        notes.append("value '\(named.name)' is not the JSON of a value; left as text")
      }
    }
  }

  private static func modules(_ text: [UInt8]) throws(CheckpointError) -> [ModuleLabel] {
    var scanner = JSONScanner(text, spelling: .canonical)
    let labels = try scanner.moduleLabels()
    try scanner.end()
    return labels
  }
}

extension Checkpoint {
  /// The text value of a name; `nil` if there is none, or if it is not text.
  func text(_ name: String) -> String? {
    for named in values where named.name.utf8.elementsEqual(name.utf8) {
      if case .text(let text) = named.value { return text }
    }
    return nil
  }
}
