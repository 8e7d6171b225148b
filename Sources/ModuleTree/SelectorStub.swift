// Stands in until branch `tree` lands with the real Selector and Rule; delete this file then.
public struct Selector: Sendable { public init(_ text: String) throws {} }
public struct Rule: Sendable, CustomStringConvertible {
  public var description: String { text }
  let text: String
  public init(_ text: String) throws { self.text = text }
  public enum Order: String, Sendable { case modules, apply
    public init(named: String) throws { self = .modules } }
}
