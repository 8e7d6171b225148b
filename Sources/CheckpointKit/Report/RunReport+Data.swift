import JSONText
import TensorCore

/// The data of a page on a run: a row per tensor, an element per step.
extension RunReport {
  func writePageData(title: String, to json: inout JSONWriter) {
    var dtypes = PageTable()
    let types = tensors.map { dtypes.index($0.info.dtype.rawValue) }
    json.object { json in
      json.members(["page": "run", "title": title.escapingControls])
      json.key("steps")
      json.strings(steps.lazy.map(\.escapingControls))
      json.key("dtypes")
      json.strings(dtypes.names)
      json.key("tensors")
      json.object { json in
        json.key("name")
        json.strings(tensors.lazy.map(\.name.escapingControls))
        json.counts("dtype", types)
        json.key("shape")
        json.array { json in for tensor in tensors { json.numbers(tensor.info.shape.sizes) } }
        json.counts("elements", tensors.map(\.info.elementCount))
        json.counts("bytes", tensors.map(\.info.byteCount))
        json.rows("norms", tensors.map(\.norms))
        json.rows("changes", tensors.map(\.changes))
        json.key("changed")
        json.array { json in
          for tensor in tensors { json.numbers(tensor.changedCounts.map { $0 ?? -1 }) }
        }
        json.key("special")
        json.object { json in
          for (index, tensor) in tensors.enumerated() where tensor.hasSpecials {
            json.key(String(index))
            json.array { json in
              json.numbers(tensor.nanCounts)
              json.numbers(tensor.infinityCounts)
            }
          }
        }
      }
      json.key("scalarsLeftOut")
      json.number(scalarsLeftOutCount)
      json.key("scalars")
      json.array { json in
        for scalar in scalars {
          json.array { json in
            json.string(scalar.address.escapingControls)
            json.array { json in for value in scalar.values { json.measure(value) } }
          }
        }
      }
    }
  }
}

extension RunReport.Tensor {
  /// Whether any step has a number that is not finite.
  fileprivate var hasSpecials: Bool {
    nanCounts.contains { $0 > 0 } || infinityCounts.contains { $0 > 0 }
  }
}

extension JSONWriter {
  fileprivate mutating func rows(_ key: String, _ rows: [[Double?]]) {
    self.key(key)
    array { json in
      for row in rows {
        json.array { json in for value in row { json.measure(value) } }
      }
    }
  }
}
