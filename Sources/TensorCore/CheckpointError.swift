/// An error with a file, a tensor, or a value, described in one line.
///
/// The message states what was expected and what was found; the location is in the other properties.
/// Lower levels throw what they know, and each level above adds what it knows.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure it is, for code that branches.
  public enum Code: String, Sendable {
    /// The system refused: no such file, no permission, disk full, connection lost.
    case system
    /// The bytes contradict their format.
    case malformed
    /// Well-formed, but of a kind or version this build does not handle.
    case unsupported
    /// Two things that must agree do not.
    case mismatched
    /// Something that was named is not there.
    case missing
  }

  /// What kind of failure it is, for callers that treat some differently.
  public let code: Code
  /// One sentence: what was expected, what was found, what to do.
  ///
  /// What to do is in the words of the command, `pass --force to replace it`; the article *Getting
  /// started* has what its options are in Swift.
  public let message: String
  /// The file concerned, if known.
  public var path: String?
  /// The tensor concerned, if known.
  public var tensor: String?
  /// The byte offset in the file where it was noticed, if known.
  public var offset: Int?
  /// The value of `errno`, if the system refused.
  public var systemNumber: Int32?

  /// Makes an error with the places that are known so far.
  public init(
    _ code: Code, _ message: String, path: String? = nil, tensor: String? = nil, offset: Int? = nil
  ) {
    self.code = code
    self.message = message
    self.path = path
    self.tensor = tensor
    self.offset = offset
  }

  /// The same error with places added where none were known.
  public func adding(path: String? = nil, tensor: String? = nil, offset: Int? = nil) -> Self {
    var copy = self
    copy.path = self.path ?? path
    copy.tensor = self.tensor ?? tensor
    copy.offset = self.offset ?? offset
    return copy
  }

  /// Does `body`; its errors get these places where they have none.
  @inlinable
  package static func placing<Result>(
    path: String? = nil, tensor: String? = nil, offset: Int? = nil,
    _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    do throws(CheckpointError) {
      return try body()
    } catch {
      throw error.adding(path: path, tensor: tensor, offset: offset)
    }
  }

  /// Computes `value`; its errors get these places where they have none.
  @inlinable
  package static func placing<Result>(
    _ value: @autoclosure () throws(CheckpointError) -> Result,
    path: String? = nil, tensor: String? = nil, offset: Int? = nil
  ) throws(CheckpointError) -> Result {
    try placing(path: path, tensor: tensor, offset: offset, value)
  }

  /// Does `body`; those of its errors that are of this type get these places where they have none.
  package static func placing<Result>(
    path: String? = nil, tensor: String? = nil, offset: Int? = nil, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let error as CheckpointError {
      throw error.adding(path: path, tensor: tensor, offset: offset)
    }
  }

  /// The same error at another file, where the one that was read stands for it.
  package func replacing(path: String) -> Self {
    var copy = self
    copy.path = path
    return copy
  }

  /// `FILE: tensor 'NAME' at byte N: message`, control characters escaped, the end of a very long
  /// name left out.
  public var description: String {
    var text = ""
    if let path { text += "\(path.escapingControls): " }
    switch (tensor, offset) {
    case (let tensor?, let offset?):
      text += "tensor '\(Self.shown(tensor))' at byte \(offset): "
    case (let tensor?, nil): text += "tensor '\(Self.shown(tensor))': "
    case (nil, let offset?): text += "at byte \(offset): "
    case (nil, nil): break
    }
    return text + message.escapingControls
  }

  private static func shown(_ name: String) -> String {
    name.escapingControls.shortened(to: 200)
  }
}

extension String {
  /// The text, or its beginning and dots in place of the rest, `count` characters in all.
  package func shortened(to count: Int) -> String {
    guard unicodeScalars.count > count else { return self }
    return String(unicodeScalars.prefix(count - 3)) + "..."
  }

  /// The text with control, bidirectional and invisible format characters written as `\u{…}`,
  /// so that a name from a file cannot steer a terminal, and bytes of a path as ``shownPath`` has them.
  package var escapingControls: String {
    if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
    func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
      default: false
      }
    }
    let shown = shownPath
    guard shown.unicodeScalars.contains(where: isUnsafe) else { return shown }
    var safe = ""
    for scalar in shown.unicodeScalars {
      switch scalar {
      case "\n": safe += "\\n"
      case "\t": safe += "\\t"
      case "\r": safe += "\\r"
      default:
        if isUnsafe(scalar) {
          safe += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          safe.unicodeScalars.append(scalar)
        }
      }
    }
    return safe
  }
}
