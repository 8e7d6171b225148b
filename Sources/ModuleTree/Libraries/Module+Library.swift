internal import TensorCore

/// A tree as the constructors of a library build it.
extension Module {
  /// The same tree with the tensors that known classes own and text does not show, each where the
  /// constructor makes it; those that are there already stay.
  ///
  /// Parameters that known classes tie are tied, whichever library builds them.
  func completed() throws -> Module {
    var copy = self
    for index in copy.ownChildren.indices {
      copy.ownChildren[index].module = try copy.ownChildren[index].module?.completed()
    }
    guard let known = Library.allCases.lazy.compactMap({ $0.known(self) }).first else {
      return copy
    }
    for (path, original) in known.shares(self) {
      if copy[original]?.identity == nil { copy[original]?.identity = Identity() }
      if copy[path]?.kind == copy[original]?.kind { copy[path] = copy[original] }
    }
    if let completing = known.completing { copy = completing(copy) }
    if copy.add(known.hidden(self)) { copy.assumption = known.assumption }
    for tie in known.ties(copy)
    where copy.owns(parameter: tie.name) && copy.owns(parameter: tie.kept) {
      copy = try copy.tying(TensorName(tie.name), to: TensorName(tie.kept))
    }
    if !copy.hasOwnOrder, let construction = known.construction {
      copy = copy.constructed(by: construction(copy))
    }
    return copy
  }

  /// Adds the tensors that are not there yet, and tells whether there were any.
  private mutating func add(_ hidden: LibraryClass.Hidden) -> Bool {
    var isNew = false
    for parameter in hidden.parameters {
      let (path, name) = TensorName(parameter.name).parentAndLeaf
      guard let owner = self[path], !owner.owns(tensor: name) else { continue }
      self[path]?.ownParameters.append(
        path.isEmpty
          ? parameter
          : Parameter(
            name, shape: parameter.shape.sizes, dtype: parameter.dtype, parameter.initializer))
      isNew = true
    }
    for buffer in hidden.buffers where !owns(tensor: buffer.name) {
      ownBuffers.append(buffer)
      isNew = true
    }
    if hidden.isLast, !hasOwnOrder {
      let children = ownChildren.filter { $0.module != nil }.map(\.name)
      self = constructed(by: children.map { .child($0) } + [.ownParameters])
    }
    for (path, hidden) in hidden.inside where self[path]?.add(hidden) ?? false {
      isNew = true
    }
    return isNew
  }

  /// Whether it has a parameter or buffer of this name of its own.
  func owns(tensor name: String) -> Bool {
    ownParameters.contains { $0.name.isSameText(name) }
      || ownBuffers.contains { $0.name.isSameText(name) }
  }

  /// The same tree, in which every known class of a library redraws what its constructor does.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `unsupported` when the tree has no class of the library,
  ///   or one whose constructor is not known.
  package func built(by library: Library) throws -> Module {
    if library == .torch { return self }
    let remedy = "describe the model with ckpt-describe (Tools/describe.py) instead"
    let nodes = namedModules()
    if let other = nodes.first(where: {
      library.redrawsUnknown($0.module)
    }) {
      let place = other.path.isEmpty ? "" : " of '\(other.path)'"
      throw CheckpointError(
        .unsupported,
        "\(library.unknownPart(of: other.module.kind))\(place) is not known; \(remedy)")
    }
    if library == .diffusers, let part = outermostParts(of: library).first {
      throw CheckpointError(
        .unsupported,
        "\(part.path.isEmpty ? "the model" : "'\(part.path)'") is diffusers's "
          + "\(part.module.kind), but not in a model of diffusers whose constructor is known; "
          + remedy)
    }
    guard nodes.contains(where: { library.known($0.module) != nil }) else {
      throw CheckpointError(
        .unsupported,
        "found no class of \(library.rawValue) \(library.version) whose constructor is known; "
          + remedy)
    }
    return redrawn(by: library)
  }

  /// Known classes that are not models, nor in a model of the library.
  private func outermostParts(of library: Library) -> [NamedModule] {
    var model: TensorName?
    return namedModules().filter { node in
      let name = TensorName(node.path)
      // All that is inside a module follows it.
      if let model, model.text.isEmpty || name.isInside(model) { return false }
      let isKnown = library.known(node.module) != nil
      // Nothing holds the root, so that nothing is built around it.
      if library.names.isModel(node.module.kind) || isKnown && name.text.isEmpty {
        model = name
        return false
      }
      return isKnown
    }
  }

  private func redrawn(by library: Library) -> Module {
    var copy = self
    for index in copy.ownChildren.indices {
      copy.ownChildren[index].module = copy.ownChildren[index].module?.redrawn(by: library)
    }
    guard let known = library.known(self) else { return copy }
    var done: Set<TensorName> = []
    if known.fillsOnce {
      for node in namedModules().dropFirst() where library.known(node.module)?.fillsOnce ?? false {
        done.insert(TensorName(node.path))
      }
    }
    if let building = known.building { return copy.constructed(by: building(copy)) }
    let steps = known.redrawing(copy, done: done)
    return steps.isEmpty ? copy : copy.constructed(by: copy.construction + steps)
  }

  /// Libraries whose known constructors draw values of this tree again.
  package var redrawingLibraries: Set<Library> {
    Set(
      Library.allCases.filter { library in
        namedModules().contains { node in
          guard let known = library.known(node.module) else { return false }
          return known.building != nil || !known.redrawing(node.module).isEmpty
        }
      })
  }

  /// What a user should know who builds the tree of the layers' own defaults: constructors that
  /// draw values again, each with the remedy.
  package var notesOnConstructors: [String] {
    var seen: Set<String> = []
    var notes: [String] = []
    var noted: Set<Library> = []
    for node in namedModules() where seen.insert(node.module.kind).inserted {
      let known = Library.allCases.lazy.compactMap { library in
        library.known(node.module).map { (library, $0) }
      }.first
      if let (library, known) = known {
        // A model inside another of the same library is covered by its note.
        if known.fillsOnce, noted.contains(library) { continue }
        if known.building == nil, known.redrawing(node.module).isEmpty { continue }
        noted.insert(library)
        notes.append(
          "\(library.rawValue)'s \(known.kind) re-initializes \(known.redrawn) after building "
            + "them; for its bytes: --library \(library.rawValue)")
      } else if node.module.layer == nil, !KnownLayers.knows(node.module.kind),
        let library = Library.allCases.first(where: { $0.redrawsUnknown(node.module) })
      {
        notes.append(
          "if \(node.module.kind) is that of \(library.owner), \(library.surprise), which is not "
            + "repeated here; for its bytes describe it with ckpt-describe (Tools/describe.py)")
      }
    }
    return notes
      + outermostParts(of: .diffusers).prefix(1).map { part in
        "\(part.path.isEmpty ? "the model" : part.path) is built as diffusers builds it; what holds "
          + "it is built in the printed order"
      }
  }
}

extension LibraryClass {
  /// The classes that are filled again, as a phrase.
  fileprivate var redrawn: String {
    var names: [String] = []
    for name in redraws.flatMap(\.listed) where !names.contains(name) { names.append(name) }
    if names.isEmpty { return "some of its layers" }
    let last = names.removeLast()
    if names.isEmpty { return "each \(last)" }
    return names.joined(separator: ", ") + (names.count > 1 ? "," : "") + " and \(last)"
  }
}
