/// The keys of `key=value` pairs the joins need.
enum FieldKey: UInt8, CaseIterable {
  case folio, idx, val, tlb, table, page, mm, start, end, size, head, function, nr, ptdesc, ptl
  case ptr, name, callSite, pfn, order, gfp, migratetype, seq, ret, pmd, pmdv, pte, old, slot
  case installed, virt, pgtable, ra, gpEvent

  /// How the value is written.
  enum Form {
    /// Decimal, signed or not, or hexadecimal with `0x`.
    case number
    /// Hexadecimal, with or without `0x`.
    case address
    /// A symbol, kept as the hash of its name.
    case symbol
    /// Flags of an allocation, kept as what ``AllocationFlags`` says of them.
    case flags
  }

  /// The key that is written as `name`; nil if the joins need no such key.
  init?(named name: String) {
    guard let found = KeyTable.names.first(where: { $0.0 == name }) else { return nil }
    self = found.1
  }

  var form: Form {
    switch self {
    case .idx, .val, .nr, .order, .migratetype, .seq, .ret: .number
    case .function, .name, .callSite, .ra, .gpEvent: .symbol
    case .gfp: .flags
    default: .address
    }
  }
}

/// The values of one event, reused from event to event.
struct Fields {
  private var present = FieldSet()
  /// The keys whose values were passed over if the event has them.
  private var skipped = FieldSet()
  private var values = InlineArray<40, UInt64>(repeating: 0)

  /// Value of `key`; nil if the line has none that could be read.
  @inline(__always)
  subscript(_ key: FieldKey) -> UInt64? {
    get {
      assert(!skipped.contains(key), "\(key) was not asked for")
      return present.contains(key) ? values[Int(key.rawValue)] : nil
    }
    set {
      guard let newValue else { return present.remove(key) }
      values[Int(key.rawValue)] = newValue
      present.insert(key)
    }
  }

  /// Forgets every pair.
  @inline(__always)
  mutating func clear() {
    present = []
    skipped = []
  }

  /// Notes, in a debug build, that the event has `key`, whose value nobody asked for.
  @inline(__always)
  mutating func skip(_ key: FieldKey) { assert(noteSkipped(key)) }

  private mutating func noteSkipped(_ key: FieldKey) -> Bool {
    skipped.insert(key)
    return true
  }

  /// Value of the first of some keys the line has.
  @inline(__always)
  func first(_ one: FieldKey, _ two: FieldKey, _ three: FieldKey? = nil) -> UInt64? {
    if let value = self[one] { return value }
    if let value = self[two] { return value }
    guard let three else { return nil }
    return self[three]
  }

  /// Reads what the event `probe` says in `bytes` from `start` on.
  mutating func read(_ probe: Probe, _ bytes: Span<UInt8>, from start: Int) {
    if probe == .gpTracepoint { readGracePeriod(bytes, start) } else { read(bytes, from: start) }
  }

  /// `NAME SEQ STEP`: this trace point has no keys.
  private mutating func readGracePeriod(_ bytes: Span<UInt8>, _ start: Int) {
    clear()
    var at = start
    for word in 0..<3 {
      while at < bytes.count, bytes[at] == 0x20 { at += 1 }
      let from = at
      while at < bytes.count, bytes[at] != 0x20 { at += 1 }
      guard at > from else { return }
      if word == 1 { self[.seq] = Self.number(bytes, from, at) }
      if word == 2 { self[.gpEvent] = Symbol.hash(bytes, from, at) }
    }
  }

  /// Reads the pairs of `bytes` from `start` on; what is not of the form is passed over.
  mutating func read(_ bytes: Span<UInt8>, from start: Int) {
    clear()
    var at = start
    while at < bytes.count {
      if bytes[at] == 0x20 {
        at += 1
        continue
      }
      // Most keys, and the sign behind them, lie within eight bytes.
      let word = bytes.wordOrLess(at: at)
      var length = ByteWord.first(ByteWord.matches(word, 0x3D) | ByteWord.matches(word, 0x20))
      if length == 8 { length = bytes.firstPlace(of: 0x3D, or: 0x20, from: at + 8) - at }
      at += length
      guard at < bytes.count, bytes[at] == 0x3D else { continue }
      at += 1
      if let key = Self.key(word, length: length) {
        at = read(key, key.form, bytes, at)
      } else {
        at = bytes.firstPlace(of: 0x20, or: 0x20, from: at)
      }
    }
  }

  /// The key of `length` bytes that begins with `word`; nil if the joins need no such key.
  @inline(__always)
  static func key(_ word: UInt64, length: Int) -> FieldKey? {
    KeyTable.shared[ByteWord.prefix(word, min(length, 8))]
  }

  /// Reads the value of `key` that begins at `from`, if it makes sense; returns the place behind it.
  @inline(always)
  mutating func read(
    _ key: FieldKey, _ form: FieldKey.Form, _ bytes: Span<UInt8>, _ from: Int
  ) -> Int {
    guard form == .number, let found = Self.shortNumber(bytes, from) else {
      return readLong(key, form, bytes, from)
    }
    self[key] = found.value
    return found.end
  }

  @inline(never)
  private mutating func readLong(
    _ key: FieldKey, _ form: FieldKey.Form, _ bytes: Span<UInt8>, _ from: Int
  ) -> Int {
    let end = bytes.firstPlace(of: 0x20, or: 0x20, from: from)
    let value: UInt64?
    switch form {
    case .number: value = Self.number(bytes, from, end)
    case .address: value = Self.hexadecimal(bytes, from, end)
    case .symbol: value = Symbol.hashName(bytes, from, end)
    case .flags: value = AllocationFlags.value(bytes, from, end)
    }
    if let value { self[key] = value }
    return end
  }

  /// A decimal number of a few digits before a blank or the end, and where it ends; nil where
  /// ``number(_:_:_:)`` has to look at it.
  @inline(__always)
  private static func shortNumber(
    _ bytes: Span<UInt8>, _ from: Int
  ) -> (value: UInt64, end: Int)? {
    var word = bytes.wordOrLess(at: from)
    var digits = min(ByteWord.first(ByteWord.matches(word, 0x20)), bytes.count - from)
    guard digits < 8 else { return nil }
    let end = from + digits
    let isNegative = UInt8(truncatingIfNeeded: word) == 0x2D
    if isNegative {
      word >>= 8
      digits -= 1
    }
    guard digits > 0, ByteWord.first(ByteWord.others(word)) >= digits else { return nil }
    let value = ByteWord.decimal(word, digits)
    return (isNegative ? 0 &- value : value, end)
  }

  /// A whole number; negative ones in two's complement; nil for anything else.
  static func number(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> UInt64? {
    guard from < end else { return nil }
    if end - from > 2, bytes[from] == 0x30, bytes[from + 1] == 0x78 {
      return hexadecimal(bytes, from, end)
    }
    let negative = bytes[from] == 0x2D
    var at = negative ? from + 1 : from
    guard at < end, end - at <= 20 else { return nil }
    var value: UInt64 = 0
    while at < end {
      let digit = bytes[at] &- 0x30
      guard digit < 10 else { return nil }
      let (product, high) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !high, !carry else { return nil }
      value = sum
      at += 1
    }
    return negative ? 0 &- value : value
  }

  /// A hexadecimal number of at most 64 bits; nil for anything else.
  static func hexadecimal(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> UInt64? {
    var at = from
    if end - at > 2, bytes[at] == 0x30, bytes[at + 1] == 0x78 { at += 2 }
    guard let found = bytes.extracting(0..<end).hexadecimal(at: at), found.end == end else {
      return nil
    }
    return found.value
  }
}

/// Keys by their first eight bytes.
private struct KeyTable: Sendable {
  private struct Slot {
    /// 0 = free.
    var packed: UInt64 = 0
    var key = FieldKey.folio
  }

  static let shared = KeyTable()
  private var slots = [Slot](repeating: Slot(), count: 256)

  init() {
    for (name, key) in Self.names {
      var value: UInt64 = 0
      for (place, byte) in name.utf8.prefix(8).enumerated() { value |= UInt64(byte) << (8 * place) }
      var slot = Self.slot(value)
      while slots[slot].packed != 0 { slot = (slot + 1) & 255 }
      slots[slot] = Slot(packed: value, key: key)
    }
  }

  @inline(__always)
  subscript(_ value: UInt64) -> FieldKey? {
    guard value != 0 else { return nil }
    var slot = Self.slot(value)
    while slots[slot].packed != value {
      if slots[slot].packed == 0 { return nil }
      slot = (slot + 1) & 255
    }
    return slots[slot].key
  }

  private static func slot(_ value: UInt64) -> Int {
    Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 56)
  }

  static let names: [(String, FieldKey)] = [
    ("folio", .folio), ("idx", .idx), ("val", .val), ("tlb", .tlb), ("table", .table),
    ("page", .page), ("mm", .mm), ("start", .start), ("end", .end), ("size", .size),
    ("head", .head), ("rhp", .head), ("func", .function), ("nr", .nr), ("ptdesc", .ptdesc),
    ("ptl", .ptl), ("ptr", .ptr), ("name", .name), ("call_site", .callSite), ("pfn", .pfn),
    ("order", .order), ("gfp_flags", .gfp), ("migratetype", .migratetype), ("seq", .seq),
    ("ret", .ret), ("pmd", .pmd), ("pmdv", .pmdv), ("pte", .pte), ("old", .old),
    ("pud", .slot), ("p4d", .slot), ("pgd", .slot), ("pudv", .installed), ("p4dv", .installed),
    ("pgdv", .installed), ("virt", .virt), ("pgtable", .pgtable), ("ra", .ra),
    ("gpevent", .gpEvent),
  ]
}
