public import ModuleTree
public import TensorCore

extension Checkpoint {
  /// A module tree for a checkpoint's tensors, and how it was come by.
  public struct Tree: Sendable {
    /// The tree; every tensor of the checkpoint stands in it.
    public var module: Module
    /// What a user should know, for a tree that was inferred; empty for one that the file carries.
    public var notes: [String] = []
    /// Whether the tree was inferred from names and shapes.
    public var isInferred: Bool { !notes.isEmpty }
  }

  /// The tree that the file carries, else one inferred from names and shapes.
  ///
  /// Tensors that a printed text does not show (bare parameters) are added where their names say.
  /// A `model` that the user gave is taken instead.
  /// - Throws: `CheckpointError` when the carried tree cannot be read.
  public func tree(model: Model? = nil) throws -> Tree {
    var tree: Tree
    if let model {
      tree = Tree(module: model.module)
    } else if let recipe = try metadata[Self.recipeKey].map({ try Recipe(json: $0) }),
      let text = recipe.model
    {
      tree = Tree(module: try Model(text: text, extra: recipe.extra).module)
    } else if !modules.isEmpty {
      tree = Tree(module: try Module(labels: modules))
    } else {
      let inferred = try InferredModel(self)
      let note = (["carries no module tree"] + inferred.notes).joined(separator: "; ")
      return Tree(module: inferred.tree, notes: [note])
    }
    let known = Set(tree.module.stateDict().map(\.name))
    for entry in entries where !known.contains(entry.name) {
      let (path, leaf) = entry.name.parentAndLeaf
      guard let owner = tree.module[path] else { continue }
      tree.module[path] = owner.adding(
        Parameter(leaf, shape: entry.info.shape, dtype: entry.info.dtype))
    }
    return tree
  }
}
