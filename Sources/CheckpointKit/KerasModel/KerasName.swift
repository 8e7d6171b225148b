import TensorCore

/// A tensor's name as Keras spells it.
struct KerasName {
  /// The groups that lead to the layer, without `vars`.
  let layer: [String]
  /// The variable's name, without TensorFlow's `:0`, or its number.
  let variable: String
  /// Whether the file numbers variables instead of naming them, as Keras 3's own does.
  let isNumbered: Bool
  /// Whether it ends as TensorFlow's names do.
  let isTensorFlow: Bool

  /// Divides a name; `nil` for one without a slash, unless the file tells its layer.
  init?(_ name: TensorName, layer known: String? = nil) {
    var parts = Self.parts(name.text)
    guard parts.count > 1 || known != nil, var variable = parts.popLast() else { return nil }
    isTensorFlow = variable.hasSuffix(":0")
    if isTensorFlow { variable.removeLast(2) }
    isNumbered = parts.last == "vars" && Int(variable) != nil
    if parts.last == "vars" { parts.removeLast() }
    if let known, parts.isEmpty {
      parts = [name.text]
      // Keras 1 puts the layer's name before the variable's: `dense_1_W`.
      if variable.hasPrefix(known + "_") { variable.removeFirst(known.count + 1) }
    }
    layer = parts
    self.variable = variable
  }

  /// The parts of a path, empty ones too.
  static func parts(_ path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
  }

  /// The levels that transformers writes in one part of a TensorFlow name: `layer_._0` is item 0 of the
  /// list `layer`, and of `mlm___cls` only `cls` counts.
  ///
  /// Source: transformers 4.57 `modeling_tf_pytorch_utils.py`, `convert_tf_weight_name_to_pt_weight_name`.
  static func levels(_ part: String) -> [String] {
    guard part.contains("_._") || part.contains("___") else { return [part] }
    var last = part
    if let range = last.ranges(of: "___").last { last = String(last[range.upperBound...]) }
    let levels = last.split(separator: "_._", maxSplits: 16).map(String.init)
    return levels.isEmpty || levels.count > 16 ? [part] : levels
  }
}
