import ByteIO
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
    for value in pickle.values {
      guard let bytes = Self.bytes(value, in: pickle), bytes.count > 4 else { continue }
      guard nested.count < Self.maxNested else { return }
      let head = try? pickle.content(bytes, name: "").head(256)
      guard PickleStream.recognizes(head ?? []),
        !nested.contains(where: {
          $0.bytes.stored == bytes.stored && $0.bytes.isDistant == bytes.isDistant
        })
      else { continue }
      nested.append(("bytes at \(bytes.stored.lowerBound)", bytes))
    }
  }

  /// The bytes that a value is itself; `nil` for other values and for text.
  private static func bytes(_ value: Pickle.Value, in pickle: Pickle) -> PickledBytes? {
    switch value {
    case .bytes(let range):
      return PickledBytes(range)
    case .distant(let index) where !pickle.distant[index].isText:
      let range = pickle.distant[index].range
      return PickledBytes(stored: range, isText: false, count: range.count, isDistant: true)
    default: return nil
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
    case .distant(let index): return "(\(pickle.distant[index].range.count) bytes)"
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
