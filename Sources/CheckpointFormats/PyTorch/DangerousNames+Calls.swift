import TensorCore

/// Names that are judged by what the pickle does with them.
extension DangerousNames {
  /// Why a name of a pickle is dangerous there; `nil` if it is not in the list, or if every use of it is
  /// one that only makes a value: `operator.itemgetter(1)`, `functools.partial` of a function that is
  /// harmless itself, `getattr(CLASS, 'name')` whose result the pickle does not call.
  static func reason(of index: Int, in pickle: Pickle) -> String? {
    let global = pickle.globals[index]
    let name = global.fullName
    if let reason = called[name] {
      return PickleUses(of: index, in: pickle).isCalled ? reason : nil
    }
    guard let reason = reason(global.module, global.name) else { return nil }
    let callees = Set(pickle.objects.map(\.callee))
    let isHarmless: (Pickle.Reference, Pickle.Object) -> Bool
    // A dotted name leads through modules that a module imports, to anything.
    if name.hasPrefix(compilers), !global.name.utf8.contains(UInt8(ascii: ".")) {
      return PickleUses(of: index, in: pickle).isCalled ? reason : nil
    }
    switch name {
    case _ where keepers.contains(name): isHarmless = { value, _ in !callees.contains(value) }
    case "functools.partial":
      isHarmless = { value, call in
        guard let function = pickle.elements(call.arguments)?.first else { return false }
        return isHarmlessFunction(function, in: pickle)
          && (pickle.global(function) != nil || !callees.contains(value))
      }
    case "builtins.getattr", "__builtin__.getattr":
      isHarmless = { value, call in
        isHarmlessAttribute(call, isCalled: callees.contains(value), in: pickle)
      }
    case "operator.itemgetter", "_operator.itemgetter":
      isHarmless = { value, call in
        !callees.contains(value)
          && pickle.elements(call.arguments)?.allSatisfy { pickle.keyText($0) != nil } == true
      }
    default: return reason
    }
    let uses = PickleUses(of: index, in: pickle)
    guard !uses.isValue, !uses.calls.isEmpty else { return reason }
    return uses.calls.allSatisfy(isHarmless) ? nil : reason
  }

  /// Whether a value is a function that is not in the list: a name, or a method of a class.
  private static func isHarmlessFunction(_ value: Pickle.Reference, in pickle: Pickle) -> Bool {
    if let global = pickle.global(value) {
      return reason(global.module, global.name) == nil && called[global.fullName] == nil
    }
    guard let call = pickle.object(value), let callee = pickle.callee(call)?.fullName else {
      return false
    }
    return ["builtins.getattr", "__builtin__.getattr"].contains(callee)
      && isHarmlessAttribute(call, isCalled: false, in: pickle)
  }

  /// Whether `getattr(owner, 'name')` is a plain attribute of a class, or of an object that the pickle
  /// makes; of a class that is called, only another class.
  ///
  /// What a function or a module has may be anything, and so may what has underscores around its name.
  private static func isHarmlessAttribute(
    _ call: Pickle.Object, isCalled: Bool, in pickle: Pickle
  ) -> Bool {
    guard let arguments = pickle.elements(call.arguments), arguments.count == 2,
      let name = pickle.text(arguments[1]), !name.hasPrefix("__"),
      !name.utf8.contains(UInt8(ascii: "."))
    else { return false }
    func isClass(_ name: String) -> Bool {
      name.split(separator: ".").last?.drop { $0 == "_" }.first?.isUppercase == true
    }
    if let owner = pickle.global(arguments[0]) {
      return isClass(owner.name) && (!isCalled || isClass(name))
        && reason(owner.module, owner.name) == nil
        && reason(owner.module, owner.name + "." + name) == nil
    }
    guard !isCalled, let owner = pickle.object(arguments[0]),
      let maker = maker(of: owner, in: pickle)
    else { return false }
    return isClass(maker.name) && reason(maker.module, maker.name) == nil
      && reason(maker.module, maker.name + "." + name) == nil
  }

  /// The class of an object.
  private static func maker(of object: Pickle.Object, in pickle: Pickle) -> Pickle.Global? {
    guard let callee = pickle.callee(object) else { return nil }
    guard callee.name == "_reconstructor" || callee.name == "__newobj__" else { return callee }
    return pickle.elements(object.arguments)?.first.flatMap(pickle.global)
  }
}

/// What a pickle does with a name: the calls of it, and whether it is also a value in something else.
private struct PickleUses {
  private(set) var calls: [(value: Pickle.Reference, call: Pickle.Object)] = []
  private(set) var isValue = false
  /// Whether it becomes an attribute such as `__setstate__`, which Python itself calls later, or one whose
  /// name the pickle computes.
  private var isHook = false
  /// Whether it is called, by the pickle or by what the pickle makes of it.
  var isCalled: Bool { !calls.isEmpty || isHook }

  init(of index: Int, in pickle: Pickle) {
    func isName(_ value: Pickle.Reference) -> Bool {
      if case .global(index) = pickle[value] { true } else { false }
    }
    for (place, value) in pickle.values.enumerated() {
      guard case .object(let object) = value, isName(pickle.objects[object].callee) else {
        continue
      }
      calls.append((Pickle.Reference(place), pickle.objects[object]))
    }
    isValue =
      pickle.tuples.contains(where: isName) || pickle.lists.contains { $0.contains(where: isName) }
      || pickle.objects.contains { object in
        object.items.contains(where: isName) || object.elements.contains(where: isName)
          || object.state.map(isName) == true
      }
    func isHook(_ key: Pickle.Reference, _ value: Pickle.Reference) -> Bool {
      guard isName(value) else { return false }
      if let text = pickle.text(key) { return text.hasPrefix("__") }
      return pickle.object(key) != nil
    }
    func hasHook(_ items: [Pickle.Reference]) -> Bool {
      zip(items, items.dropFirst()).contains { isHook($0, $1) }
    }
    self.isHook =
      pickle.lists.contains(where: hasHook) || hasHook(pickle.tuples)
      || pickle.objects.contains { hasHook($0.items) }
  }
}
