/// The classes of transformers 5.24 that draw values after building their layers, or own tensors
/// that printed text does not show.
///
/// Source: transformers 5.24 `models/` and `modeling_utils.py`, checked by `Tools/check-models`.
extension LibraryClass {
  static let transformers: [LibraryClass] = models + heads + embeddings + scales + norms + sound

  /// Models, some of which own tensors themselves.
  private static var models: [LibraryClass] {
    PreTrainedModel.all.map { model in
      var found = model.libraryClass
      ownTensors[model.kind]?(&found)
      return found
    }
  }
}
