/// The classes of timm 1.0.31 that draw values after building their layers, or own tensors that
/// printed text does not show.
///
/// Source: timm 1.0.31 `models/` and `layers/`, checked by `Tools/check-models`.
extension LibraryClass {
  static let timm: [LibraryClass] = []
}
