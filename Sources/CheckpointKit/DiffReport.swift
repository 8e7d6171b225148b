public import TensorCore

/// A comparison as the JSON document of `ckpt diff --json`.
public struct DiffReport: Sendable, Encodable {
  private struct Tie: Encodable {
    let name: String
    let original: String
    let file: String
  }

  private struct Tensor: Encodable {
    let kind: CheckpointDiff.Change.Kind
    let name: String
    let newName: String?
    let oldDtype: String?
    let newDtype: String?
    let oldShape: Shape?
    let newShape: Shape?
    let axes: [Int]?
    let difference: TensorDifference?

    init(_ change: CheckpointDiff.Change) {
      (kind, name, newName) = (change.kind, change.name.text, change.newName?.text)
      (oldDtype, newDtype) = (change.old?.dtype.rawValue, change.new?.dtype.rawValue)
      (oldShape, newShape) = (change.old?.shape, change.new?.shape)
      (axes, difference) = (change.axes, change.difference)
    }
  }

  private struct Module: Encodable {
    let path: String
    let sum: DiffSum
  }

  private struct Same: Encodable {
    let name: String
    let newName: String?
  }

  private let first: String
  private let second: String
  private let firstPrefix: String
  private let secondPrefix: String
  private let answer: DiffAnswer
  private let identical: Int
  private let identicalByStoredDigest: Int
  private let becameNaN: Int
  private let becameInfinite: Int
  private let noLongerNaN: Int
  private let noLongerInfinite: Int
  private let changes: [Tensor]
  private let identicalTensors: [Same]
  private let modules: [Module]
  private let tied: [Tie]
  private let values: [ValueDiff.Change]
  private let notCompared: [String]?

  /// Describes a comparison of two files, which are called `first` and `second`.
  ///
  /// `pairing` tells by which prefix names were paired; `notCompared` are tensors that cannot be read.
  public init(
    _ diff: CheckpointDiff, values: ValueDiff, first: String, second: String,
    pairing: NamePairing = NamePairing(), notCompared: [TensorName] = []
  ) {
    (self.first, self.second) = (first, second)
    (firstPrefix, secondPrefix) = (pairing.firstPrefix, pairing.secondPrefix)
    answer = diff.answer(values: values)
    identical = diff.identicalCount
    identicalByStoredDigest = diff.identicalByStoredDigestCount
    func total(_ count: (TensorDifference) -> Int) -> Int {
      diff.changes.compactMap(\.difference).map(count).saturatedSum()
    }
    becameNaN = total(\.becameNaNCount)
    becameInfinite = total(\.becameInfiniteCount)
    noLongerNaN = total(\.noLongerNaNCount)
    noLongerInfinite = total(\.noLongerInfiniteCount)
    changes = diff.changes.map(Tensor.init)
    identicalTensors = diff.tensors.filter { $0.kind == .identical }
      .map { Same(name: $0.name.text, newName: $0.newName?.text) }
    modules = DiffTree(diff).nodes.map { Module(path: $0.path.text, sum: $0.sum) }
    tied = diff.tied.map {
      Tie(name: $0.name.text, original: $0.original.text, file: $0.isInSecond ? second : first)
    }
    self.values = values.changes
    self.notCompared = notCompared.isEmpty ? nil : notCompared.map(\.text)
  }
}
