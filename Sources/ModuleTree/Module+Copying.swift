extension Module {
  /// The same tree as other objects, as `copy.deepcopy` makes them: what is shared or tied in it is
  /// so in the copy, but not with the original.
  package func deepCopied() -> Module {
    var identities: [ObjectIdentifier: Identity] = [:]
    return deepCopied(&identities)
  }

  private func deepCopied(_ identities: inout [ObjectIdentifier: Identity]) -> Module {
    func fresh(_ identity: Identity?) -> Identity? {
      guard let identity else { return nil }
      let key = ObjectIdentifier(identity)
      let new = identities[key] ?? Identity()
      identities[key] = new
      return new
    }
    var copy = self
    copy.identity = fresh(identity)
    for index in copy.ownParameters.indices {
      copy.ownParameters[index].identity = fresh(copy.ownParameters[index].identity)
    }
    for index in copy.ownChildren.indices {
      copy.ownChildren[index].module = copy.ownChildren[index].module?.deepCopied(&identities)
    }
    copy.predecessors = predecessors.map { $0.deepCopied(&identities) }
    return copy
  }
}
