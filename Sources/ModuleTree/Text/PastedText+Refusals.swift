extension PastedText {
  /// Kinds of text that are often taken for a printed model, each with what only they contain.
  private static let otherKinds: [(marks: [String], kind: String)] = [
    (["Traceback (most recent call last)"], "a traceback"),
    (
      ["class GraphModule(torch.nn.Module)"],
      "a program of torch.export or torch.fx, which shows no layers; print the model before that"
    ),
    (["dict_keys("], "the names of a state dict, which do not say how they are initialized"),
    (["OrderedDict([('"], "a printed state dict, which does not say how it is initialized"),
    (
      ["Layer (type", "Param #"],
      "a summary table, which does not show all arguments of the layers"
    ),
    (
      ["(nn.Module)", "super().__init__", "import torch", "= nn.", "nn.Sequential("],
      "Python source; run it and print(model), or describe the model with ckpt-describe (Tools/describe.py)"
    ),
  ]

  /// What a text without a model is, as far as it can be told.
  var otherKind: String? {
    Self.otherKinds.first { $0.marks.contains(where: bytes.holds) }?.kind
  }
}
