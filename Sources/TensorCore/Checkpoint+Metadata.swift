/// The text values of a checkpoint by name, and what in it is this project's own.
extension Checkpoint {
  /// The values that are text, by name: a view of ``values``.
  ///
  /// A text that is set replaces the value of that name, of whatever kind; new ones are added in the
  /// order of their names. Reserved: ``recipeKey``, ``provenanceKey``, and what begins with `ckpt.`.
  public var metadata: [String: String] {
    get {
      var texts: [String: String] = [:]
      for named in values {
        if case .text(let text) = named.value { texts[named.name] = text }
      }
      return texts
    }
    set {
      var new = newValue
      values = values.compactMap { named in
        if let text = new.removeValue(forKey: named.name) { return Named(named.name, .text(text)) }
        if case .text = named.value { return nil }
        return named
      }
      for (name, text) in new.sorted(by: { TensorName($0.key) < TensorName($1.key) }) {
        values.append(Named(name, .text(text)))
      }
    }
  }

  /// Sets or, with `nil`, removes the text of a name; names are compared as UTF-8 bytes, and all other
  /// values stay.
  ///
  /// A value of another kind is replaced as well, and removed only if it is text.
  public mutating func setText(_ text: String?, for name: String) {
    let index = values.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    switch (index, text) {
    case (let index?, let text?): values[index].value = .text(text)
    case (let index?, nil):
      if case .text = values[index].value { values.remove(at: index) }
    case (nil, let text?): values.append(Named(name, .text(text)))
    case (nil, nil): break
    }
  }

  /// The values that are the file's own, not notes of this project about it.
  public var ownValues: [Named] { values.filter { !Self.isReserved($0.name) } }

  /// Whether a name belongs to this project: `recipe`, `provenance`, `keras.layers`, and names that
  /// begin with `ckpt.`.
  package static func isReserved(_ name: String) -> Bool {
    [recipeKey, provenanceKey, "keras.layers"].contains(name) || name.hasPrefix("ckpt.")
  }
}
