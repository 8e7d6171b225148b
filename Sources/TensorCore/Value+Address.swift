extension Checkpoint {
  /// The addresses of the file's own values that are shown on one line, the first `count` of them.
  package func addresses(atMost count: Int) -> [String] {
    var found: [String] = []
    for named in ownValues where found.count < count {
      named.value.forEachLeaf(at: named.name) { address, _ in
        if found.count < count { found.append(address) }
      }
    }
    return found
  }
}

/// Finding values by their addresses: `epoch`, `optimizer.param_groups.0.lr`.
extension Value {
  /// The members of a dictionary or an opaque value, or the elements of a list by their indices.
  var namedChildren: [(name: String, value: Value)] {
    switch self {
    case .dictionary(let members), .opaque(_, let members): members.map { ($0.name, $0.value) }
    case .list(let elements), .tuple(let elements):
      elements.enumerated().map { (String($0), $1) }
    case .null, .bool, .integer, .real, .text, .bytes: []
    }
  }

  /// Whether it is shown on one line: a scalar, lists of nothing but scalars, or anything empty.
  package var isLeaf: Bool {
    switch self {
    case .list(let elements), .tuple(let elements): elements.allSatisfy(\.isListed)
    case .dictionary(let members), .opaque(_, let members): members.isEmpty
    case .null, .bool, .integer, .real, .text, .bytes: true
    }
  }

  /// Whether nothing is in it but tensors and more of its kind: an empty dictionary, or what is only
  /// there for the tensors, which the checkpoint lists.
  package var isSkeleton: Bool {
    switch self {
    case .tensor: true
    case .dictionary(let members): members.allSatisfy(\.value.isSkeleton)
    case .list(let elements), .tuple(let elements):
      !elements.isEmpty && elements.allSatisfy(\.isSkeleton)
    default: false
    }
  }

  /// Calls `body` with each value that is shown on one line, and its address; skeletons are not shown.
  package func forEachLeaf(at address: String, _ body: (String, Value) throws -> Void) rethrows {
    if isSkeleton { return }
    if isLeaf { return try body(address, self) }
    for (name, value) in namedChildren {
      try value.forEachLeaf(at: "\(address).\(name)", body)
    }
  }

  /// The opaque values among the value and what it holds, but for tensors: their addresses and what
  /// they are called.
  package func objects(
    at address: String, where isIncluded: (Value) -> Bool = { _ in true }
  ) -> [(address: String, name: String)] {
    var found: [(address: String, name: String)] = []
    if case .opaque(let name, _) = self, self != .tensor, isIncluded(self) {
      found.append((address, name))
    }
    if isListed, !isOpaqueList { return found }
    for (name, value) in namedChildren {
      found += value.objects(at: "\(address).\(name)", where: isIncluded)
    }
    return found
  }

  /// Whether a list holds opaque values, at any depth.
  private var isOpaqueList: Bool {
    switch self {
    case .list(let elements), .tuple(let elements):
      elements.contains { $0.kind == .opaque || $0.isOpaqueList }
    default: false
    }
  }

  /// Number of values that are shown on one line.
  package var leafCount: Int {
    isSkeleton ? 0 : isLeaf ? 1 : namedChildren.lazy.map(\.value.leafCount).saturatedSum()
  }

  /// The value at an address relative to this one; `nil` if there is none.
  ///
  /// Names may contain dots: every member whose name begins the address is tried, in order.
  func value(at address: Substring) -> Value? {
    switch self {
    case .list(let elements), .tuple(let elements):
      let digits = address.prefix { $0 != "." }
      guard let index = Int(digits), elements.indices.contains(index), "\(index)" == digits else {
        return nil
      }
      let rest = address.dropFirst(digits.count)
      return rest.isEmpty ? elements[index] : elements[index].value(at: rest.dropFirst())
    case .dictionary(let members), .opaque(_, let members):
      return Self.find(address, among: members.lazy.map { ($0.name, $0.value) })
    case .null, .bool, .integer, .real, .text, .bytes: return nil
    }
  }

  /// The value at an address whose first name is that of one of these members.
  static func find(
    _ address: Substring, among members: some Sequence<(name: String, value: Value)>
  ) -> Value? {
    var found: Value?
    for (name, value) in members where address.utf8.starts(with: name.utf8) {
      let rest = address.utf8.dropFirst(name.utf8.count)
      if rest.isEmpty { return value }
      if found == nil, rest.first == UInt8(ascii: ".") {
        found = value.value(at: Substring(rest.dropFirst()))
      }
    }
    return found
  }
}

extension Value {
  /// This value without the one at an address below it, which is returned; `nil` if there is none.
  fileprivate mutating func remove(at address: Substring) -> Value? {
    guard case .dictionary(var members) = self else { return nil }
    for (index, member) in members.enumerated()
    where address.utf8.starts(with: member.name.utf8) {
      let rest = address.utf8.dropFirst(member.name.utf8.count)
      if rest.isEmpty {
        members.remove(at: index)
        self = .dictionary(members)
        return member.value
      }
      var inner = member.value
      guard rest.first == UInt8(ascii: "."),
        let removed = inner.remove(at: Substring(rest.dropFirst()))
      else { continue }
      members[index].value = inner
      self = .dictionary(members)
      return removed
    }
    return nil
  }
}

extension Checkpoint {
  /// Removes and returns the value at an address of dictionary keys; `nil` if there is none.
  package mutating func removeValue(at address: String) -> Value? {
    var all = Value.dictionary(values.map { Value.Member($0.name, $0.value) })
    guard let removed = all.remove(at: address[...]), case .dictionary(let members) = all else {
      return nil
    }
    values = members.map { Named($0.name, $0.value) }
    return removed
  }

  /// The value at a dotted address, such as `optimizer.param_groups.0.lr`; `nil` if there is none.
  public func value(at address: String) -> Value? {
    Value.find(address[...], among: values.lazy.map { ($0.name, $0.value) })
  }
}
