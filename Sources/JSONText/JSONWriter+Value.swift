package import TensorCore

/// Values as JSON that says all there is to say, for formats that keep values as text.
///
/// What JSON has is written as such; a real number always has a point or an exponent. For the rest
/// there are objects of one key: `{"$real":"nan"}` (or `inf`, `-inf`, or the bits of another NaN),
/// `{"$bytes":"00ff"}`, `{"$tuple":[…]}`, `{"$dictionary":[[key,value],…]}` for keys that are not
/// distinct texts or begin with `$`, and `{"$opaque":["name",members]}`.
extension JSONWriter {
  /// Writes a value so that ``TensorCore/Value/init(exact:)`` reads the same one.
  package mutating func exact(_ value: Value) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .integer(let value): number(value)
    case .real(let value) where value.isFinite: literal("\(value)")
    case .real(let value):
      tagged("$real") { $0.string(Self.text(of: value)) }
    case .text(let text): string(text)
    case .bytes(let bytes): tagged("$bytes") { $0.string(bytes.hexDigits()) }
    case .list(let elements): exact(elements)
    case .tuple(let elements): tagged("$tuple") { $0.exact(elements) }
    case .dictionary(let members): exact(members)
    case .opaque(let name, let members):
      tagged("$opaque") { json in
        json.array { json in
          json.string(name)
          json.exact(members)
        }
      }
    }
  }

  private mutating func tagged(_ tag: String, _ body: (inout JSONWriter) -> Void) {
    object { json in
      json.key(tag)
      body(&json)
    }
  }

  private mutating func exact(_ elements: [Value]) {
    array { json in for element in elements { json.exact(element) } }
  }

  private mutating func exact(_ members: [Value.Member]) {
    var names: Set<TensorName> = []
    let isPlain = members.allSatisfy { member in
      guard case .text(let text) = member.key, !text.hasPrefix("$") else { return false }
      return names.insert(TensorName(text)).inserted
    }
    if isPlain {
      object { json in
        for member in members {
          json.key(member.name)
          json.exact(member.value)
        }
      }
    } else {
      tagged("$dictionary") { json in
        json.array { json in
          for member in members { json.exact([member.key, member.value]) }
        }
      }
    }
  }

  private static func text(of value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return value.bitPattern == Double.nan.bitPattern
      ? "nan" : "0x" + String(value.bitPattern, radix: 16)
  }
}
