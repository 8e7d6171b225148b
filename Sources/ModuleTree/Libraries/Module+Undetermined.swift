internal import TensorCore

extension Module {
  /// Modules that own tensors which neither the text nor the table of library classes nor a side
  /// file gives, by class.
  ///
  /// Of a class whose name tells little, only one in a model of its library counts.
  package var undetermined: [(kind: String, path: String)] {
    let nodes = namedModules()
    let libraries = Library.allCases.filter { library in
      nodes.contains { node in
        library.known(node.module).map { !$0.isPlain(node.module) } ?? false
          || node.module.layer == nil && library.names.isModel(node.module.kind)
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
    var isMasked = false
    var seen: Set<String> = []
    var found: [(kind: String, path: String)] = []

    mutating func visit(_ module: Module, path: String) {
      if isUndetermined(module), seen.insert(module.kind).inserted {
        found.append((module.kind, path))
      }
      let outside = (covers, within, isMasked)
      if module.kind.hasSuffix("ForMaskedImageModeling") { isMasked = true }
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
      (covers, within, isMasked) = outside
    }

    private func isUndetermined(_ module: Module) -> Bool {
      if !module.missing.isEmpty { return true }
      guard module.ownParameters.isEmpty, module.ownBuffers.isEmpty, module.layer == nil,
        !module.isToldEmpty, !seen.contains(module.kind), !covers.contains(module.kind),
        isMasked || !LibraryNames.maskable.contains(module.kind),
        !KnownLayers.knows(module.kind), !LibraryNames.tensorless.contains(module.kind),
        !Library.allCases.contains(where: { $0.known(module) != nil })
      else { return false }
      if UnprintedParameters.tellsAnywhere(module) { return true }
      // What is inside a class of one library is not another's.
      return libraries.contains { library in
        (within.isEmpty || within.contains(library)) && library.names.owners.contains(module.kind)
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
        + "describe the model with ckpt-describe (Tools/describe.py), give them with --extra, say there that it "
        + "owns none, 'class \(first.kind)(Module)', or pass --allow-incomplete to write the others"
    )
  }
}
