/// How bytes get from each rank to all: MPI, or in tests the memory of one process.
package protocol RankTransport: Sendable {
  /// The number of this rank, from 0.
  var rank: Int { get }
  /// How many ranks there are.
  var size: Int { get }

  /// The bytes of every rank, of which each has as many.
  func gather(_ bytes: [UInt8]) -> [[UInt8]]

  /// The bytes of every rank, given how many each has.
  func gather(_ bytes: [UInt8], counts: [Int]) -> [[UInt8]]

  /// Leaves the others for good; they must leave as well.
  func finish()

  /// Ends all ranks at once.
  func abort(status: Int32, saying text: String) -> Never
}
