import Glibc
import Synchronization
package import TensorCore

/// The processes that do one piece of work together, and which of them this one is.
///
/// Every rank runs the same program on the same inputs, so that the order of the collective calls
/// follows from the plan. Each call begins with one exchange of headers: which call it is, how many
/// bytes follow, and whether the rank has failed. So a rank that fails anywhere is heard by the
/// others in their next call, whatever that is, and all throw the same error.
///
/// One thread at a time may call. A process alone has ``alone``, which costs nothing.
package final class Ranks: Sendable {
  /// The ranks of the running task.
  @TaskLocal package static var current = Ranks.alone
  /// One process.
  package static let alone = Ranks(nil)

  /// What an exchange gives.
  package struct Answer: Sendable {
    /// The bytes of every rank; `nil` if one of them is elsewhere.
    package let parts: [[UInt8]]?
    /// What went wrong, if anything.
    package let fault: RankFault?
  }

  /// How many ranks there are.
  package let size: Int
  /// The number of this one, from 0.
  package let rank: Int
  private let transport: (any RankTransport)?
  private let turn = Atomic<Int>(0)
  private let state = Mutex(State())

  private struct State {
    var operation = 0
    /// The last fault that another rank has had.
    var learned: CheckpointError?
  }

  /// The number of the last call.
  private static let last = -1
  private static let several = Atomic<Bool>(false)
  /// Whether this process has ever been one of several.
  package static var areSeveral: Bool { several.load(ordering: .relaxed) }

  /// Ranks that are connected.
  package init(_ transport: (any RankTransport)?) {
    if (transport?.size ?? 1) > 1 { Self.several.store(true, ordering: .relaxed) }
    self.transport = transport
    (size, rank) = (transport?.size ?? 1, transport?.rank ?? 0)
  }

  /// Whether this rank writes what all make alike.
  package var isFirst: Bool { rank == 0 }

  /// Whether this rank writes what is appended now: the one whose bytes pass, else the first.
  package var hasTurn: Bool { turn.load(ordering: .relaxed) == rank }

  /// Lets `body` pass bytes of a rank.
  package func passing<Result>(_ rank: Int, _ body: () throws -> Result) rethrows -> Result {
    turn.store(rank, ordering: .relaxed)
    defer { turn.store(0, ordering: .relaxed) }
    return try body()
  }

  /// Gives every rank the bytes of all, or the fault that counts.
  package func answer(
    _ name: String, _ bytes: [UInt8] = [], fault: RankFault? = nil
  ) -> Answer {
    guard let transport else { return Answer(parts: [bytes], fault: fault) }
    return state.withLock { state in
      state.operation += 1
      let (answer, _, _) = Self.answer(
        name, number: state.operation, bytes, fault, by: transport, isLocated: true)
      if let error = answer.fault?.error, error != fault?.error { state.learned = error }
      return answer
    }
  }

  /// Gives every rank the bytes of all.
  ///
  /// - Throws: on every rank the same error, that of the first item and the lowest rank.
  package func exchange(
    _ name: String, _ bytes: [UInt8] = [], fault: RankFault? = nil
  ) throws(CheckpointError) -> [[UInt8]] {
    let answer = answer(name, bytes, fault: fault)
    if let fault = answer.fault { throw fault.error }
    return answer.parts ?? []
  }

  /// Lets every rank make its bytes, and gives all of them to each.
  ///
  /// - Throws: on every rank the same error if `body` throws on any.
  @discardableResult
  package func agree(
    _ name: String, _ body: () throws -> [UInt8]
  ) throws(CheckpointError) -> [[UInt8]] {
    let made = Result { try body() }
    switch made {
    case .success(let bytes): return try exchange(name, bytes)
    case .failure(let error): return try exchange(name, fault: RankFault(error))
    }
  }

  /// The value of `body` on this rank, if no rank throws.
  package func agreeing<Value>(_ name: String, _ body: () throws -> Value) throws -> Value {
    if size == 1 { return try body() }
    var value: Value?
    try agree(name) {
      value = try body()
      return []
    }
    guard let value else { preconditionFailure("an agreement without a value") }
    return value
  }

  /// Runs `body`, in which a rank may fail between two calls, and waits for the others, wherever
  /// they are in it.
  ///
  /// - Throws: on every rank the same error if `body` throws on any.
  package func together<Value>(
    _ name: String, _ body: () async throws -> Value
  ) async throws -> Value {
    if size == 1 { return try await body() }
    let value: Value
    do {
      value = try await body()
    } catch {
      throw meet(name, fault: RankFault(error)).fault?.error ?? error
    }
    if let fault = meet(name).fault { throw fault.error }
    return value
  }

  /// Waits until all ranks are here; those that are elsewhere hear of the fault and come.
  ///
  /// The last meeting is where a rank comes that fails between two others: who waits elsewhere leaves for it.
  private func meet(
    _ name: String, _ bytes: [UInt8] = [], fault: RankFault? = nil, isLocated: Bool = true,
    isLast: Bool = false
  ) -> Answer {
    guard let transport else { return Answer(parts: [bytes], fault: fault) }
    return state.withLock { state in
      var own = fault
      // Whoever had the error first knows best where.
      own?.item = fault?.error == state.learned ? .max : 0
      while true {
        let (answer, areAllHere, isEnding) = Self.answer(
          name, number: isLast ? Self.last : 0, bytes, own, by: transport, isLocated: isLocated)
        if isEnding, !isLast {
          if let error = answer.fault?.error, error != fault?.error { state.learned = error }
          return answer
        }
        guard areAllHere else { continue }
        // Who failed has made fewer calls than the others.
        state.operation = 0
        state.learned = nil
        return answer
      }
    }
  }

  /// Waits until all ranks are done, and leaves them; returns the status of all and what is to be
  /// said, by the first.
  ///
  /// `isLocated` is false where the others only waited, so that no rank need be named.
  package func finish(
    status: Int32, fault: RankFault?, isLocated: Bool
  ) -> (status: Int32, fault: RankFault?) {
    var writer = RecordWriter()
    writer.add(status)
    let answer = meet("finish", writer.bytes, fault: fault, isLocated: isLocated, isLast: true)
    transport?.finish()
    let statuses = (answer.parts ?? []).map { bytes in
      var reader = RecordReader(bytes)
      return reader.integer(Int32.self)
    }
    return (answer.fault?.status ?? statuses.max() ?? status, answer.fault)
  }

  private static func answer(
    _ name: String, number: Int, _ bytes: [UInt8], _ fault: RankFault?,
    by transport: any RankTransport, isLocated: Bool
  ) -> (answer: Answer, isTogether: Bool, isEnding: Bool) {
    var writer = RecordWriter()
    writer.add(name.operationNumber)
    writer.add(number)
    writer.add(bytes.count)
    let record = fault?.record(host: hostName) ?? []
    writer.add(record.count)
    let headers = transport.gather(writer.bytes).map { header in
      var reader = RecordReader(header)
      return (
        name: reader.integer(UInt64.self), number: reader.integer(), count: reader.integer(),
        faultCount: reader.integer()
      )
    }
    let isTogether = headers.allSatisfy {
      $0.name == headers[0].name && $0.number == headers[0].number
    }
    let isEnding = headers.contains { $0.number == last }
    let hasFault = headers.contains { $0.faultCount > 0 }
    if !isTogether, !hasFault {
      transport.abort(
        status: 2,
        saying: "rank \(transport.rank) is at '\(name)' \(number) and others are not, which is a "
          + "mistake in ckpt; please report it")
    }
    let parts = isTogether ? transport.gather(bytes, counts: headers.map(\.count)) : nil
    guard hasFault else { return (Answer(parts: parts, fault: nil), isTogether, isEnding) }
    let records = transport.gather(record, counts: headers.map(\.faultCount))
    let chosen = RankFault.chosen(
      of: records.map { $0.isEmpty ? nil : $0 }, isLocated: isLocated)
    return (Answer(parts: parts, fault: chosen), isTogether, isEnding)
  }

  /// The name of this machine.
  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "an unknown host" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Ranks {
  /// Says on which rank an error of the system happened.
  package func located(_ error: any Error) -> CheckpointError {
    var error = error as? CheckpointError ?? CheckpointError(.system, "\(error)")
    if size > 1 { error.locate(rank: rank, of: size, host: Self.hostName) }
    return error
  }
}

extension String {
  /// A number for the name of a call, the same in every process (FNV-1a, 64 bits).
  fileprivate var operationNumber: UInt64 {
    utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
