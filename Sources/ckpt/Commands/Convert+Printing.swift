import CheckpointKit

/// What `convert` says about what it writes.
extension Ckpt.Convert {
  func print(_ plan: ConversionPlan, _ format: CheckpointFormat) throws {
    var output = StandardOutput()
    if report.json {
      try output.line(try jsonText(plan))
    } else {
      var table = Table(.left, .left, .left, .right, .left)
      func change(_ old: String, _ new: String) -> String {
        (old == new ? new : "\(old) → \(new)").escapingControls
      }
      for tensor in plan.tensors {
        let remark = tensor.obstacle ?? tensor.tiedTo.map { "= \($0)" } ?? ""
        table.add(
          change(tensor.from, tensor.name), change(tensor.oldDtype, tensor.dtype),
          tensor.shape.listText, tensor.bytes.grouped, Style.dim(remark.escapingControls))
      }
      for line in table.lines { try output.line(line) }
      let bytes = plan.tensors.filter { $0.tiedTo == nil || !format.capabilities.sharesBytes }
        .map(\.bytes).saturatedSum()
      let left = plan.leftOut.isEmpty ? "" : ", \(plan.leftOut.count.grouped) left out"
      try output.line(
        "\(plan.tensors.count.pluralized("tensor"))\(left), \(bytes.byteCountText) to \(format.name); nothing was written"
      )
    }
    try output.flush()
    if let tensor = plan.tensors.first(where: { $0.obstacle != nil }) {
      throw CheckpointError(
        .unsupported, tensor.obstacle ?? "", path: displayPath(input), tensor: tensor.name)
    }
  }

  /// Reports values that became infinite, naming the first tensors.
  func noteOverflows(_ overflows: OverflowCount, _ dtype: DType?) {
    let tensors = overflows.tensors
    guard !tensors.isEmpty, let dtype, let format = dtype.element.floatFormat else { return }
    let names = tensors.map { "'\($0.name)' (\($0.count.grouped))" }.listed(upTo: 3)
    let total = tensors.map(\.count).saturatedSum()
    common.notes(on: input)(
      "\(total.grouped) values were too large for \(dtype.torchName) and \(format.overflowOutcome), in \(names)"
    )
  }
}
