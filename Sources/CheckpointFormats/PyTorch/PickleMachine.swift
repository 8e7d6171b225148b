import ByteIO
import TensorCore

/// The stack machine whose program a pickle is, made harmless: it builds values and calls nothing.
///
/// Source: CPython 3.13 `Lib/pickle.py` and `pickletools.py`, protocols 0 to 5 (PEP 3154 and 574).
/// Persistent IDs as text and out-of-band buffers are refused. Every size in the pickle is checked
/// against the bytes that exist before anything is allocated.
///
/// A pickle that is only searched for names keeps neither what lists and dictionaries hold nor, where
/// nothing refers to them any more, the values between a mark and its end (``isLean``).
struct PickleMachine {
  typealias Reference = Pickle.Reference

  var input: PickleInput
  var values: [Pickle.Value] = []
  var tuples: [Reference] = []
  var lists: [[Reference]] = []
  var names = PickleNames()
  var objects: [Pickle.Object] = []
  /// What follows the descriptions of arrays, by the indices of their objects.
  var arrays: [Int: Range<Int>] = [:]
  var objectArrays: [Int: Reference] = [:]
  var stack = PickleStack()
  var memo = PickleMemo()
  /// Values that are created only once: one-byte integers, None, True, and False.
  private var shared = [Reference?](repeating: nil, count: Self.sharedCount)
  /// Bytes of memory that all values take.
  var memory: Budget.Account
  /// Offset of the current opcode, for errors.
  var opcode = 0
  /// Whether bytes of arrays are among the opcodes, as joblib writes them.
  let readsArrays: Bool
  /// Whether the pickle is only searched for names and calls.
  let isLean: Bool
  /// Number of bytes of kept strings that were charged.
  var chargedBytes = 0
  static let sharedCount = 259
  /// Number of pickles around the one that is read.
  var nesting = 0

  init(
    _ source: ByteSource, _ range: Range<Int>, cost: Budget.Cost = .pickledValues,
    keepsAll: Bool = true, readsArrays: Bool = false, isLean: Bool = false
  ) {
    self.readsArrays = readsArrays
    self.isLean = isLean
    input = PickleInput(source, range, keepsAll: keepsAll && !isLean)
    memory = Budget.current.account(of: cost, size: range.count)
    guard isLean else { return }
    // Made first, so that none of them is ever given up.
    for number in 0..<256 { shared[number] = Reference(number) }
    for index in 256..<Self.sharedCount { shared[index] = Reference(index) }
    values = (0..<256).map { .int($0) } + [.none, .bool(true), .bool(false)]
  }

  /// Runs up to the STOP opcode and returns the value on top of the stack.
  mutating func run() throws(CheckpointError) -> Reference {
    do throws(CheckpointError) {
      while true {
        opcode = input.position
        let code = try input.byte()
        if code == UInt8(ascii: ".") { return try stack.pop() }  // STOP
        try step(code)
      }
    } catch {
      throw error.adding(offset: opcode)
    }
  }

  /// Opcodes for stack, numbers, strings, and containers.
  private mutating func step(_ code: UInt8) throws(CheckpointError) {
    switch code {
    // Framing and stack
    case 0x80:  // PROTO
      let version = try input.byte()
      guard version <= 5 else {
        throw CheckpointError(.unsupported, "expected pickle protocol 5 or older, found \(version)")
      }
    case 0x95: try input.checkFrame()  // FRAME
    case UInt8(ascii: "("): try stack.mark(isLean ? place : nil)  // MARK
    case UInt8(ascii: "0"):  // POP
      // POP takes a mark if nothing was pushed since, as in CPython.
      if !stack.dropMark() { _ = try stack.pop() }
    case UInt8(ascii: "1"): try dropToMark()  // POP_MARK
    case UInt8(ascii: "2"): try stack.push(try stack.top())  // DUP
    // NONE, NEWTRUE, NEWFALSE, INT, LONG, BININT, BININT1, BININT2, LONG1, LONG4, FLOAT, BINFLOAT
    case UInt8(ascii: "N"): try push(.none, sharedAs: 256)
    case 0x88: try push(.bool(true), sharedAs: 257)
    case 0x89: try push(.bool(false), sharedAs: 258)
    case UInt8(ascii: "I"): try push(try input.decimal())
    case UInt8(ascii: "L"): try push(try input.decimal())
    case UInt8(ascii: "J"): try push(.int(Int(try input.number(Int32.self))))
    case UInt8(ascii: "K"):
      let number = Int(try input.byte())
      try push(.int(number), sharedAs: number)
    case UInt8(ascii: "M"): try push(.int(Int(try input.number(UInt16.self))))
    case 0x8a: try push(try input.integer(Int(try input.byte())))
    case 0x8b: try push(try input.integer(try input.size(Int32.self)))
    case UInt8(ascii: "F"): try push(.float(try input.decimalFloat()))
    case UInt8(ascii: "G"):
      // The only big-endian number of the format.
      try push(.float(Double(bitPattern: try input.number(UInt64.self).byteSwapped)))
    // STRING, BINSTRING, SHORT_BINSTRING, UNICODE, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8,
    // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
    case UInt8(ascii: "S"): try push(try input.quoted())
    case UInt8(ascii: "T"): try push(try input.textOrBytes(try input.size(Int32.self)))
    case UInt8(ascii: "U"): try push(try input.textOrBytes(Int(try input.byte())))
    case UInt8(ascii: "V"): try push(try input.unicode())
    case UInt8(ascii: "X"): try push(try input.text(try input.size(UInt32.self)))
    case 0x8c: try push(try input.text(Int(try input.byte())))
    case 0x8d: try push(try input.text(try input.size(UInt64.self)))
    case UInt8(ascii: "B"): try push(try input.bytes(try input.size(UInt32.self)))
    case UInt8(ascii: "C"): try push(try input.bytes(Int(try input.byte())))
    case 0x8e, 0x96: try push(try input.bytes(try input.size(UInt64.self)))
    // EMPTY_LIST, EMPTY_TUPLE, EMPTY_DICT, EMPTY_SET, LIST, TUPLE, DICT, FROZENSET, TUPLE1 to TUPLE3,
    // APPEND, APPENDS, ADDITEMS, SETITEM, SETITEMS
    case UInt8(ascii: "]"): try push(.list(try newList([])))
    case UInt8(ascii: ")"): try push(try newTuple([]))
    case UInt8(ascii: "}"): try push(.dictionary(try newList([])))
    case 0x8f: try push(.set(try newList([])))
    case UInt8(ascii: "l"): try push(.list(try newList(try stack.popToMark())))
    case UInt8(ascii: "t"): try push(try newTuple(try stack.popToMark()))
    case UInt8(ascii: "d"): try push(.dictionary(try newList(try stack.popPairs())))
    case 0x91: try push(.set(try newList(try stack.popToMark())))
    case 0x85...0x87: try push(try newTuple(try stack.pop(Int(code) - 0x84)))
    case UInt8(ascii: "a"): try append(try stack.pop(1))
    case UInt8(ascii: "e"), 0x90:
      if isLean { try dropToMark() } else { try append(try stack.popToMark()) }
    case UInt8(ascii: "s"): try setItems(try stack.pop(2))
    case UInt8(ascii: "u"):
      if isLean { try dropToMark() } else { try setItems(try stack.popPairs()) }
    default: try stepAround(code)
    }
  }

  /// Opcodes for the memo, names, calls, and values outside the pickle.
  private mutating func stepAround(_ code: UInt8) throws(CheckpointError) {
    switch code {
    // PUT, BINPUT, LONG_BINPUT, MEMOIZE, GET, BINGET, LONG_BINGET
    case UInt8(ascii: "p"): try remember(try input.memoKey())
    case UInt8(ascii: "q"): try remember(Int(try input.byte()))
    case UInt8(ascii: "r"): try remember(Int(try input.number(UInt32.self)))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "g"): try pushMemo(try input.memoKey())
    case UInt8(ascii: "h"): try pushMemo(Int(try input.byte()))
    case UInt8(ascii: "j"): try pushMemo(Int(try input.number(UInt32.self)))
    // GLOBAL, STACK_GLOBAL, EXT1, EXT2, EXT4
    case UInt8(ascii: "c"):
      try push(try global(try input.name(), try input.name()))
    case 0x93:
      let parts = try stack.pop(2)
      try charge(PickleNames.lookupCost)
      guard case .text(let module) = values[Int(parts[0])],
        case .text(let name) = values[Int(parts[1])]
      else {
        throw CheckpointError(.malformed, "expected strings as the name of a class or function")
      }
      try PickleNames.check(module.count + name.count)
      try push(try global(input.text(module), input.text(name)))
    case 0x82: try push(try global("copyreg extension", String(try input.byte())))
    case 0x83: try push(try global("copyreg extension", String(try input.number(UInt16.self))))
    case 0x84: try push(try global("copyreg extension", String(try input.number(Int32.self))))
    // REDUCE, NEWOBJ, NEWOBJ_EX, INST, OBJ: calls, which are only recorded; then BUILD, BINPERSID
    case UInt8(ascii: "R"), 0x81:
      let parts = try stack.pop(2)
      try call(parts[0], parts[1])
    case 0x92:
      // Keyword arguments are not kept: nothing that is recognized has any.
      let parts = try stack.pop(3)
      try call(parts[0], parts[1])
    case UInt8(ascii: "i"):
      let callee = try global(try input.name(), try input.name())
      let arguments = try newValue(try newTuple(try stack.popToMark()))
      try call(try newValue(callee), arguments)
    case UInt8(ascii: "o"):
      let parts = try stack.popToMark()
      guard let callee = parts.first else { throw PickleStack.underflow }
      try call(callee, try newValue(try newTuple(Array(parts.dropFirst()))))
    case UInt8(ascii: "b"): try build(try stack.pop(1)[0])
    case UInt8(ascii: "Q"):
      let identifier = try stack.pop()
      try push(.persistent(identifier))
    case UInt8(ascii: "P"), 0x97, 0x98:  // PERSID, NEXT_BUFFER, READONLY_BUFFER
      throw CheckpointError(
        .unsupported,
        "pickle opcode 0x\(String(code, radix: 16)) refers to data outside the pickle")
    default:
      throw CheckpointError(
        .malformed, "byte 0x\(String(code, radix: 16)) is not a pickle opcode")
    }
  }

  // MARK: - Stack

  /// Charges the memory of a value.
  mutating func charge(_ bytes: Int) throws(CheckpointError) {
    guard memory.charge(bytes) else {
      throw CheckpointError(
        .unsupported,
        "the values of the pickle take more than \(memory.limit) bytes of memory; pass "
          + "--allow-large to read it")
    }
  }

  /// Charges elements that are added to a list of `count`; the first ones need an allocation.
  mutating func charge(_ new: [Reference], after count: Int) throws(CheckpointError) {
    try charge((count == 0 && !new.isEmpty ? 48 : 0) + 8 * new.count)
  }

  private mutating func newValue(_ value: Pickle.Value) throws(CheckpointError) -> Reference {
    try charge(MemoryLayout<Pickle.Value>.stride)
    if !input.keepsAll, input.kept.count > chargedBytes {
      try charge(input.kept.count - chargedBytes)
      chargedBytes = input.kept.count
    }
    values.append(value)
    return Reference(values.count - 1)
  }

  private mutating func newList(_ elements: [Reference]) throws(CheckpointError) -> Int {
    try charge(MemoryLayout<[Reference]>.stride)
    try charge(elements, after: 0)
    lists.append(elements)
    return lists.count - 1
  }

  private mutating func newTuple(
    _ elements: [Reference]
  ) throws(CheckpointError) -> Pickle.Value {
    try charge(MemoryLayout<Reference>.stride * elements.count)
    // Cannot overflow: `charge` keeps all elements together below 2^31.
    let start = Int32(tuples.count)
    tuples += elements
    return .tuple(start..<Int32(tuples.count))
  }

  mutating func push(_ value: Pickle.Value) throws(CheckpointError) {
    try stack.push(try newValue(value))
  }

  private mutating func push(
    _ value: Pickle.Value, sharedAs index: Int
  ) throws(CheckpointError) {
    if let known = shared[index] { return try stack.push(known) }
    let new = try newValue(value)
    shared[index] = new
    try stack.push(new)
  }

  private mutating func remember(_ key: Int) throws(CheckpointError) {
    try charge(memo.set(key, try stack.top()))
  }

  private mutating func pushMemo(_ key: Int) throws(CheckpointError) {
    guard let value = memo[key] else {
      throw CheckpointError(.malformed, "the memo has no value \(key)")
    }
    try stack.push(value)
  }
}
