import TensorCore

/// A report on a run as JSON: an object per tensor, with an array element per step.
extension RunReport: Encodable {
  private enum CodingKeys: String, CodingKey {
    case steps, tensors, scalars, scalarsLeftOut
  }

  /// Writes the steps, the tensors, and the numbers that are not tensors.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(steps, forKey: .steps)
    try values.encode(tensors, forKey: .tensors)
    try values.encode(scalars, forKey: .scalars)
    try values.encode(scalarsLeftOutCount, forKey: .scalarsLeftOut)
  }
}

extension RunReport.Tensor: Encodable {
  private enum CodingKeys: String, CodingKey {
    case name, dtype, shape, norms, changes, changed, nans, infinities
  }

  /// Writes every measure, `null` where a step has none.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(info.dtype.rawValue, forKey: .dtype)
    try values.encode(info.shape, forKey: .shape)
    try values.encode(norms, forKey: .norms)
    try values.encode(changes, forKey: .changes)
    try values.encode(changedCounts, forKey: .changed)
    try values.encode(nanCounts, forKey: .nans)
    try values.encode(infinityCounts, forKey: .infinities)
  }
}
