import JSONText
import TensorCore

/// The data of a page on one or two checkpoints: a column per measure, an element per tensor.
extension Report {
  func writePageData(to json: inout JSONWriter) {
    json.object { json in
      json.key("page")
      json.string(inputs.count == 2 ? "comparison" : "checkpoint")
      json.key("files")
      json.array { json in
        for (input, steps) in zip(inputs, provenance) { Self.write(input, steps, to: &json) }
      }
      json.key("tensors")
      json.object { json in writeColumns(to: &json) }
      json.key("values")
      json.array { json in
        for row in values {
          json.array { json in
            json.string(row.address.escapingControls)
            json.text(row.before)
            if inputs.count == 2 {
              json.text(row.after)
              json.number(row.isChanged ? 1 : 0)
            }
          }
        }
      }
      json.key("answer")
      json.text(answer?.text)
      json.key("unread")
      json.strings(unread.lazy.map(\.text.escapingControls))
      json.key("valueCount")
      json.number(valueCount)
    }
  }

  private static func write(
    _ input: Input, _ steps: [Provenance.Step], to json: inout JSONWriter
  ) {
    json.object { json in
      let sizes = input.sizes
      json.key("path")
      json.string(input.path.escapingControls)
      json.key("format")
      json.string(input.format)
      json.counts(
        "sizes", [input.checkpoint.entries.count, sizes.elements, sizes.bytes])
      json.key("modules")
      json.array { json in
        for label in input.checkpoint.modules {
          json.strings([label.path.escapingControls, label.kind.escapingControls])
        }
      }
      json.key("recipe")
      json.text(input.checkpoint.metadata[Checkpoint.recipeKey])
      json.key("provenance")
      json.array { json in
        for step in steps {
          json.strings(
            ([step.command] + step.options + step.inputs.map { "← \($0)" }).map(\.escapingControls))
        }
      }
    }
  }

  private func writeColumns(to json: inout JSONWriter) {
    var dtypes = PageTable()
    let old = tensors.map { ($0.old ?? $0.new).map { dtypes.index($0.dtype.rawValue) } ?? 0 }
    let new = tensors.map { ($0.new ?? $0.old).map { dtypes.index($0.dtype.rawValue) } ?? 0 }
    json.key("name")
    json.strings(tensors.lazy.map(\.name.text.escapingControls))
    json.key("newName")
    json.sparse(tensors.map { $0.newName?.text.escapingControls })
    json.key("alias")
    json.sparse(tensors.map { $0.alias?.text.escapingControls })
    json.key("dtypes")
    json.strings(dtypes.names)
    json.counts("dtype", old)
    json.key("shape")
    json.array { json in
      for tensor in tensors { json.numbers((tensor.old ?? tensor.new)?.shape.sizes ?? []) }
    }
    json.counts("elements", tensors.map { ($0.old ?? $0.new)?.elementCount ?? 0 })
    json.counts("bytes", tensors.map { ($0.old ?? $0.new)?.byteCount ?? 0 })
    json.key("before")
    json.object { json in Self.write(tensors.map(\.before), to: &json) }
    guard inputs.count == 2 else { return }
    json.key("kinds")
    json.strings(Tensor.Kind.allCases.map(\.rawValue))
    json.counts("kind", tensors.map { $0.kind.flatMap(Tensor.Kind.allCases.firstIndex) ?? 0 })
    json.counts("newDtype", new)
    json.key("newShape")
    json.sparse(
      tensors.map { tensor in
        tensor.new.flatMap { $0.shape == tensor.old?.shape ? nil : $0.shape.description }
      })
    json.key("after")
    json.object { json in
      // What is equal is in the page once.
      let isEqual: Set<Tensor.Kind> = [.identical, .renamed]
      Self.write(
        tensors.map { $0.kind.map(isEqual.contains) == true ? nil : $0.after }, to: &json)
    }
    json.key("difference")
    json.object { json in writeDifferences(to: &json) }
  }

  private func writeDifferences(to json: inout JSONWriter) {
    let found = tensors.map(\.difference)
    json.counts("changed", found.map { $0?.differingCount ?? -1 })
    json.measures("norm", found.map { $0?.norm ?? nil })
    json.measures("max", found.map { $0?.maxAbsolute })
    json.measures("cosine", found.map { $0?.cosine })
    json.counts("signFlips", found.map { $0?.signFlipCount ?? 0 })
    json.key("specials")
    json.sparse(
      found.map { difference in
        difference.flatMap { $0.changesSpecials ? $0.specials : nil }
      })
  }

  /// The measures of tensors, of which those that are `nil` have none.
  private static func write(_ found: [TensorSummary?], to json: inout JSONWriter) {
    json.measures("min", found.map { $0?.minimum })
    json.measures("max", found.map { $0?.maximum })
    json.measures("mean", found.map { $0?.mean })
    json.measures("std", found.map { $0?.standardDeviation })
    json.measures("norm", found.map { $0?.norm })
    json.counts("zeros", found.map { $0?.zeroCount ?? 0 })
    json.counts("nans", found.map { $0?.nanCount ?? 0 })
    json.counts("infinities", found.map { $0?.infinityCount ?? 0 })
    json.key("histogram")
    json.array { json in for summary in found { json.histogram(summary?.histogram) } }
  }
}

/// Texts that are written once and meant by their index.
struct PageTable {
  private(set) var names: [String] = []
  private var indices: [String: Int] = [:]

  mutating func index(_ name: String) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    return names.count - 1
  }
}

extension TensorDifference {
  /// `3 became NaN`, as many such counts as are not zero.
  fileprivate var specials: String {
    let counts = [
      (becameNaNCount, "became NaN"), (becameInfiniteCount, "became infinite"),
      (noLongerNaNCount, "no longer NaN"), (noLongerInfiniteCount, "no longer infinite"),
    ]
    return counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }
}

extension JSONWriter {
  /// Writes a text, or `null`.
  mutating func text(_ text: String?) {
    if let text { string(text.escapingControls) } else { null() }
  }

  /// Writes an object that has the texts by their indices, without those that are missing.
  mutating func sparse(_ texts: [String?]) {
    object { json in
      for (index, text) in texts.enumerated() {
        guard let text else { continue }
        json.key(String(index))
        json.string(text)
      }
    }
  }

  /// Writes a histogram: exponent of the width, first bin, and a text of two characters per bin.
  ///
  /// The characters are the digits of 64, as in Base64, of a number up to 4095: the count relative to
  /// the largest one. `0` stands for none.
  mutating func histogram(_ histogram: ValueHistogram?) {
    guard let histogram, let most = histogram.counts.max(), most > 0 else { return number(0) }
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for count in histogram.counts {
      let share = (Double(count) / Double(most) * 4095).rounded(.up)
      text.append(digits[Int(share) >> 6])
      text.append(digits[Int(share) & 63])
    }
    array { json in
      if let exponent = histogram.exponent { json.number(exponent) } else { json.null() }
      json.number(histogram.first)
      json.string(String(decoding: text, as: UTF8.self))
    }
  }
}
