internal import TensorCore

/// A library whose constructors can be repeated, by the name that `--library` takes.
public enum Library: String, Sendable, CaseIterable {
  /// The layers' own defaults, and nothing that a constructor does after building them.
  case torch
  case torchvision, timm, transformers, diffusers

  /// The version whose source was read.
  package var version: String {
    switch self {
    case .torch: "2.15"
    case .torchvision: "0.29.2"
    case .timm: "1.0.31"
    case .transformers: "5.24"
    case .diffusers: "0.42.1"
    }
  }

  /// Finds a library by name.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `unsupported`, listing the names.
  public init(named text: String) throws {
    guard let library = Self(rawValue: text) else {
      let names = Self.allCases.map { "'\($0.rawValue)'" }
      throw CheckpointError(
        .unsupported,
        "unknown library '\(text)': expected \(names.dropLast().joined(separator: ", ")) or "
          + "\(names.last ?? "")")
    }
    self = library
  }

  /// The classes whose constructors are known.
  var classes: [LibraryClass] {
    switch self {
    // Libraries whose constructors draw nothing again, so that no option names them.
    case .torch: LibraryClass.torchGeometric + [.averaged]
    case .torchvision: LibraryClass.torchvision
    case .timm: LibraryClass.timm
    case .transformers: LibraryClass.transformers
    case .diffusers: LibraryClass.diffusers
    }
  }

  /// Whether a class of a module's name draws values after building layers, and the module is none of
  /// ``classes``.
  func redrawsUnknown(_ module: Module) -> Bool {
    guard self != .diffusers, !Self.isCompleted(module.kind), names?.isModel(module.kind) ?? false
    else { return false }
    return known(module) == nil
  }

  /// Names of further classes, for what must not pass in silence; `nil` for PyTorch.
  var names: LibraryNames? {
    switch self {
    case .torch: nil
    case .torchvision: .torchvision
    case .timm: .timm
    case .transformers: .transformers
    case .diffusers: .diffusers
    }
  }

  /// The known class that a module of a printed tree is.
  func known(_ module: Module) -> LibraryClass? {
    Self.table[self]?[module.kind]?.first { $0.fits(module) }
  }

  private static let table: [Library: [String: [LibraryClass]]] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0, Dictionary(grouping: $0.classes, by: \.kind)) })

  /// Whether the text of a class, which shows nothing, may be completed by the model that it is in.
  ///
  /// In another model, it is ``Module/undetermined``.
  static func isCompleted(_ kind: String) -> Bool { covered.contains(kind) }

  /// Whether it is known what a class owns whose text tells nothing, or not enough.
  static func explains(_ kind: String) -> Bool {
    isCompleted(kind) || LibraryNames.tensorless.contains(kind)
      || LibraryNames.zeroCentered.contains(kind)
  }

  private static let covered = Set(allCases.flatMap { $0.classes.flatMap(\.covers) })
}
