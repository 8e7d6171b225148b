/// The classes of transformers 5.24 that draw values after building their layers, or own tensors
/// that printed text does not show.
///
/// Source: transformers 5.24 `models/` and `modeling_utils.py`, checked by `Tools/check-models`.
extension LibraryClass {
  static let transformers: [LibraryClass] = []
}
