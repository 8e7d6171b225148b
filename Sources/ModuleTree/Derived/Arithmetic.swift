package import TensorCore

/// Another initializer's values, then operations on every element: `normal * 0.02 + 1`.
package struct Arithmetic: Initializer {
  /// What makes the values first.
  package let base: any Initializer
  /// What is done to them, in order.
  package let steps: [ElementStep]

  package let name = "arithmetic"

  /// Makes the initializer of its parts.
  package init(_ base: any Initializer, _ steps: [ElementStep]) {
    self.base = base
    self.steps = steps
  }

  package func fill(for info: TensorInfo) throws -> TensorFill {
    try ElementStep.check(info.dtype)
    let fill = try base.fill(for: info)
    if case .nothing = fill { return .nothing }
    return .mapped(fill, steps)
  }

  package var description: String {
    InitializerFormula.text("\(base)", steps.map(\.description))
  }
}
