/// Makes, transforms and takes values in order, with at most `width` transforms at work.
///
/// `next` and `consume` run one after another in the caller, in order; only `transform` runs in
/// tasks. So memory is bounded by `width` values, and what is consumed does not depend on `width`.
/// The first error ends the work and is thrown.
package func orderedPipeline<Input: Sendable, Output: Sendable>(
  width: Int,
  next: () throws -> Input?,
  transform: @escaping @Sendable (Input) throws -> Output,
  consume: (Output) throws -> Void
) async throws {
  if width <= 1 {
    while let input = try next() { try consume(try transform(input)) }
    return
  }
  try await withThrowingTaskGroup(of: (Int, Output).self) { group in
    var started = 0
    var consumed = 0
    var waiting: [Int: Output] = [:]
    var isExhausted = false
    while true {
      while !isExhausted, started - consumed < width {
        guard let input = try next() else {
          isExhausted = true
          break
        }
        let number = started
        started += 1
        group.addTask { (number, try transform(input)) }
      }
      guard let (number, output) = try await group.next() else { return }
      waiting[number] = output
      while let ready = waiting.removeValue(forKey: consumed) {
        consumed += 1
        try consume(ready)
      }
    }
  }
}
