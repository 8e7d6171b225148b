public import ModuleTree
public import TensorCore

extension Checkpoint {
  /// Mean and spread with which the recipe that the checkpoint carries draws its tensors, by name: of
  /// those whose values are drawn, before any training.
  ///
  /// Empty without a recipe that has a seed, or where it cannot be planned.
  public func expectedMoments() -> [TensorName: Moments] {
    guard let recipe = try? recipe(), let seed = recipe.seed,
      let plan = try? recipe.initialization(seed: seed)
    else { return [:] }
    return Dictionary(
      keepingFirst: entries.compactMap { entry in
        plan.values(of: entry.name)?.fill.moments.map { (entry.name, $0) }
      })
  }
}
