import TensorCore

/// What a side file changes in single modules.
extension Module {
  /// Whether a parameter of this name is the module's own or that of a module inside.
  func owns(parameter name: String) -> Bool {
    let (path, leaf) = TensorName(name).parentAndLeaf
    return self[path]?.ownParameters.contains { $0.name.isSameText(leaf) } ?? false
  }

  mutating func apply(
    _ arguments: PrintedArguments, at path: String, line: Int
  ) throws {
    guard let old = self[path] else { return }
    if let way = Reparametrization.allCases.first(where: { arguments.names.first == $0.rawValue }),
      let own = arguments.text(way.rawValue)
    {
      do {
        self[path] = try old.hooked(own, way, along: arguments.dimension(of: way))
      } catch {
        throw CheckpointError(.missing, "line \(line): \(error.message)")
      }
      return
    }
    func refuse(_ names: String) -> CheckpointError {
      CheckpointError(
        .unsupported,
        "line \(line): expected \(names), found options '\(arguments.text)' for \(old.kind)")
    }
    let layer: any Layer
    do {
      guard let printed = old.layer as? any PrintedLayer,
        !type(of: printed).unprintedOptions.isEmpty
      else { throw refuse("a class with unprinted options: \(KnownLayers.unprintedOptions)") }
      guard let changed = try printed.setting(arguments) else {
        throw refuse(type(of: printed).unprintedOptions.joined(separator: ", "))
      }
      layer = changed
    } catch let error as ArgumentError {
      throw CheckpointError(.malformed, "line \(line): \(error.message)")
    }
    var new = Module(
      kind: old.kind, arguments: old.arguments, layer: layer, children: old.ownChildren)
    new.base = old.base
    self[path] = new
  }
}

extension PrintedArguments {
  /// What follows the name of a reparametrization: the `dim` of `weight_norm`.
  fileprivate func dimension(of way: Reparametrization) throws(ArgumentError) -> Int? {
    guard names.count > 1 else { return 0 }
    guard way == .weightNorm, names.dropFirst() == ["dim"] else {
      throw ArgumentError(
        offset: 0, message: "expected at most 'dim' of weight_norm, found '\(text)'")
    }
    return text("dim") == "None" ? nil : try size("dim")
  }
}
