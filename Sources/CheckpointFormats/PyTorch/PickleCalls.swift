import TensorCore

/// What a pickle would call with what, as text, and the bytes in it that may be pickles themselves.
struct PickleCalls {
  /// Of each name, by its index among the pickle's globals, its first calls.
  private(set) var texts: [Int: [String]] = [:]
  /// Bytes that are an argument of a function that loads, or begin like a pickle.
  private(set) var nested: [(name: String, bytes: PickledBytes)] = []

  private static let maxCalls = 3
  private static let maxNested = 256
  private static let maxText = 200
  private static let maxDepth = 4

  init(_ pickle: Pickle) {
    for object in pickle.objects {
      guard case .global(let index) = pickle[object.callee] else { continue }
      if texts[index, default: []].count < Self.maxCalls {
        let text = Self.text(of: object, in: pickle, depth: 0).shortened(to: Self.maxText)
        texts[index, default: []].append(text)
      }
      let name = pickle.globals[index].fullName
      guard DangerousNames.loadsBytes(name), nested.count < Self.maxNested else { continue }
      for argument in pickle.elements(object.arguments) ?? [] {
        if let bytes = pickle.pickledBytes(argument), bytes.count > 1 {
          nested.append(("\(name)(...)", bytes))
        }
      }
    }
    for case .bytes(let range) in pickle.values where range.count > 4 {
      guard nested.count < Self.maxNested else { return }
      let stored = Int(range.lowerBound)..<Int(range.upperBound)
      guard PickleStream.recognizes(Array(pickle.bytes[stored].prefix(256))),
        !nested.contains(where: { $0.bytes.stored == stored })
      else { continue }
      nested.append(
        (
          "bytes at \(stored.lowerBound)",
          PickledBytes(stored: stored, isText: false, count: stored.count)
        ))
    }
  }

  private static func text(of object: Pickle.Object, in pickle: Pickle, depth: Int) -> String {
    let name =
      pickle.callee(object)?.fullName ?? text(of: object.callee, in: pickle, depth: depth + 1)
    let arguments = (pickle.elements(object.arguments) ?? []).prefix(8).map {
      text(of: $0, in: pickle, depth: depth + 1)
    }
    return "\(name)(\(arguments.joined(separator: ", ")))"
  }

  private static func text(
    of reference: Pickle.Reference, in pickle: Pickle, depth: Int
  ) -> String {
    if depth > maxDepth { return "..." }
    switch pickle[reference] {
    case .none: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .int(let number): return String(number)
    case .largeInt: return "(large integer)"
    case .float(let number): return String(number)
    case .text: return "'\((pickle.text(reference) ?? "").shortened(to: 80))'"
    case .bytes(let range): return "(\(range.count) bytes)"
    case .tuple, .list:
      let elements = pickle.elements(reference) ?? []
      let texts = elements.prefix(8).map { text(of: $0, in: pickle, depth: depth + 1) }
      return "[\(texts.joined(separator: ", "))\(elements.count > 8 ? ", ..." : "")]"
    case .set, .dictionary: return "{...}"
    case .global(let index): return pickle.globals[index].fullName
    case .object(let index): return text(of: pickle.objects[index], in: pickle, depth: depth)
    case .persistent: return "(data outside the pickle)"
    }
  }
}
