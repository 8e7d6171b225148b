internal import TensorCore

/// A tree as the constructors of a library build it.
extension Module {
  /// The same tree with the tensors that known classes own and text does not show, each where the
  /// constructor makes it; those that are there already stay.
  func completed() -> Module {
    var copy = self
    for index in copy.ownChildren.indices {
      copy.ownChildren[index].module = copy.ownChildren[index].module?.completed()
    }
    guard let known = Library.allCases.lazy.compactMap({ $0.known(self) }).first else {
      return copy
    }
    let hidden = known.hidden(self)
    var isNew = false
    for parameter in hidden.parameters
    where !copy.ownParameters.contains(where: { $0.name.isSameText(parameter.name) }) {
      copy.ownParameters.append(parameter)
      isNew = true
    }
    for buffer in hidden.buffers
    where !copy.ownBuffers.contains(where: { $0.name.isSameText(buffer.name) })
      && !copy.ownParameters.contains(where: { $0.name.isSameText(buffer.name) })
    {
      copy.ownBuffers.append(buffer)
      isNew = true
    }
    copy.assumption = isNew ? known.assumption : nil
    if !copy.hasOwnOrder, let construction = known.construction {
      copy = copy.constructed(by: construction(copy))
    }
    return copy
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
      library.redrawsUnknown($0.module.kind)
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
    let steps = known.redrawing(copy)
    return steps.isEmpty ? copy : copy.constructed(by: copy.construction + steps)
  }

  /// What a user should know who builds the tree of the layers' own defaults: constructors that
  /// draw values again, each with the remedy.
  package var notesOnConstructors: [String] {
    var seen: Set<String> = []
    var notes: [String] = []
    for node in namedModules() where seen.insert(node.module.kind).inserted {
      for library in Library.allCases {
        if let known = library.known(node.module) {
          let steps = known.redrawing(node.module)
          if steps.isEmpty { continue }
          notes.append(
            "\(library.rawValue)'s \(known.kind) re-initializes \(known.redrawn) after building "
              + "them; for its bytes: --library \(library.rawValue)")
        } else if library.redrawsUnknown(node.module.kind), node.module.layer == nil,
          !KnownLayers.knows(node.module.kind)
        {
          notes.append(
            "if \(node.module.kind) is that of \(library.rawValue), it draws values again after "
              + "building its layers, which is not repeated here; for its bytes describe it with "
              + "Tools/describe.py")
        } else {
          continue
        }
        break
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
    var seen: Set<String> = []
    return nodes.compactMap { node in
      let module = node.module
      guard module.ownParameters.isEmpty, module.ownBuffers.isEmpty, module.layer == nil,
        !seen.contains(module.kind), !KnownLayers.knows(module.kind),
        UnprintedParameters.examples[module.kind] != nil
          || libraries.contains(where: { $0.names?.owners.contains(module.kind) ?? false })
      else { return nil }
      seen.insert(module.kind)
      return (module.kind, node.path)
    }
  }

  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` for tensors that are ``undetermined``.
  package func requireComplete() throws {
    let kinds = undetermined
    guard let first = kinds.first else { return }
    let place = first.path.isEmpty ? "the model itself" : "'\(first.path)'"
    let example = UnprintedParameters.examples[first.kind].map { ", such as \($0)" } ?? ""
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
