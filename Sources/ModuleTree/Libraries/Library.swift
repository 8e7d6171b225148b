internal import TensorCore

/// A library whose constructors can be repeated, by the name that `--library` takes.
public enum Library: String, Sendable, CaseIterable {
  /// The layers' own defaults, and nothing that a constructor does after building them.
  case torch
  /// The library of this name: its models' constructors, with what they do after building the layers.
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

  /// Whether a class of a module's name does more than build its layers in the printed order, and
  /// the module is none of ``classes``.
  func redrawsUnknown(_ module: Module) -> Bool {
    guard !Self.isCompleted(module.kind), names.isModel(module.kind), known(module) == nil
    else { return false }
    // The table has all of torchvision's: a module without any of their children is another's.
    let namesakes = Self.table[self]?[module.kind] ?? []
    return self != .torchvision || namesakes.isEmpty
      || namesakes.contains { $0.children.contains { module[$0] != nil } }
  }

  /// What an unknown constructor of the library does, as the rest of a sentence.
  var surprise: String {
    self == .diffusers
      ? "it may build its layers in another order than they are printed"
      : "it draws values again after building its layers"
  }

  /// The same of a class, as the subject of a sentence; the place of the module follows.
  func unknownPart(of kind: String) -> String {
    self == .diffusers
      ? "in which order diffusers builds the layers of \(kind)"
      : "what \(rawValue)'s \(kind) does after building its layers"
  }

  /// The library's name; that of the one without an option for the classes beside PyTorch's.
  var owner: String { self == .torch ? "torch_geometric" : rawValue }

  /// Names of further classes, for what must not pass in silence.
  var names: LibraryNames {
    switch self {
    case .torch: .torchGeometric
    case .torchvision: .torchvision
    case .timm: .timm
    case .transformers: .transformers
    case .diffusers: .diffusers
    }
  }

  /// The known class that a module of a printed tree is.
  func known(_ module: Module) -> LibraryClass? {
    module.isToldEmpty ? nil : Self.table[self]?[module.kind]?.first { $0.fits(module) }
  }

  private static let table: [Library: [String: [LibraryClass]]] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0, Dictionary(grouping: $0.classes, by: \.kind)) })

  /// Whether the text of a class may be completed by the model that it is in.
  static func isCompleted(_ kind: String) -> Bool { covered.contains(kind) }

  /// Whether it is known what a class owns whose text tells nothing, or not enough.
  static func explains(_ kind: String) -> Bool {
    isCompleted(kind) || LibraryNames.tensorless.contains(kind)
      || LibraryNames.zeroCentered.contains(kind)
  }

  private static let covered = Set(allCases.flatMap { $0.classes.flatMap(\.covers) })
}
