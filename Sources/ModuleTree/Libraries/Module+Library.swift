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
    let remedy = "describe the model with Tools/describe.py instead"
    let nodes = namedModules()
    if let other = nodes.first(where: {
      library.redrawsUnknown($0.module)
    }) {
      let place = other.path.isEmpty ? "" : " of '\(other.path)'"
      throw CheckpointError(
        .unsupported,
        "what \(library.rawValue)'s \(other.module.kind)\(place) does after building its layers is "
          + "not known; \(remedy)")
    }
    guard nodes.contains(where: { library.known($0.module) != nil }) else {
      throw CheckpointError(
        .unsupported,
        "found no class of \(library.rawValue) \(library.version) whose constructor is known; "
          + remedy)
    }
    return redrawn(by: library)
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
          "if \(node.module.kind) is that of \(library.rawValue), it draws values again after "
            + "building its layers, which is not repeated here; for its bytes describe it with "
            + "Tools/describe.py")
      }
    }
    return notes
  }
}

extension Module {
  /// Modules that own tensors which neither the text nor the table of library classes nor a side
  /// file gives, by class.
  ///
  /// Of a class whose name tells little, only one in a model of its library counts.
  package var undetermined: [(kind: String, path: String)] {
    let nodes = namedModules()
    let libraries = Library.allCases.filter { library in
      nodes.contains { node in
        library.known(node.module) != nil
          || node.module.layer == nil && library.names?.isModel(node.module.kind) ?? false
      }
    }
    var search = Search(libraries: libraries)
    search.visit(self, path: "")
    return search.found
  }

  /// A walk that keeps in mind which known classes a module is inside.
  private struct Search {
    let libraries: [Library]
    var covers: Set<String> = []
    var within: Set<Library> = []
    var seen: Set<String> = []
    var found: [(kind: String, path: String)] = []

    mutating func visit(_ module: Module, path: String) {
      if isUndetermined(module), seen.insert(module.kind).inserted {
        found.append((module.kind, path))
      }
      let outside = (covers, within)
      for library in Library.allCases {
        guard let known = library.known(module) else { continue }
        covers.formUnion(known.covers)
        // What torch only wraps may be any library's.
        if library != .torch { within.insert(library) }
      }
      for child in module.ownChildren {
        guard let inner = child.module else { continue }
        visit(inner, path: path.isEmpty ? child.name : "\(path).\(child.name)")
      }
      (covers, within) = outside
    }

    private func isUndetermined(_ module: Module) -> Bool {
      if !module.missing.isEmpty { return true }
      guard module.ownParameters.isEmpty, module.ownBuffers.isEmpty, module.layer == nil,
        !seen.contains(module.kind), !covers.contains(module.kind),
        !KnownLayers.knows(module.kind), !LibraryNames.tensorless.contains(module.kind),
        !Library.allCases.contains(where: { $0.known(module) != nil })
      else { return false }
      if UnprintedParameters.examples[module.kind] != nil || Library.isCompleted(module.kind) {
        return true
      }
      // What is inside a class of one library is not another's.
      return libraries.contains { library in
        (within.isEmpty || within.contains(library))
          && library.names?.owners.contains(module.kind) ?? false
      }
    }
  }

  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` for tensors that are ``undetermined``.
  package func requireComplete() throws {
    let kinds = undetermined
    guard let first = kinds.first else { return }
    let place = first.path.isEmpty ? "the model itself" : "'\(first.path)'"
    let name = self[first.path]?.missing.first ?? UnprintedParameters.examples[first.kind]
    let example = name.map { ", such as \($0)" } ?? ""
    let more =
      kinds.count > 1
      ? "; so do " + kinds.dropFirst().prefix(5).map(\.kind).joined(separator: ", ")
        + (kinds.count > 6 ? ", …" : "") : ""
    throw CheckpointError(
      .missing,
      "\(first.kind) (\(place)) may own tensors that printed text does not show\(example)\(more); "
        + "describe the model with Tools/describe.py, give them with --extra, or pass "
        + "--allow-incomplete to write the others")
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
