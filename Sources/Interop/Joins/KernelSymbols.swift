/// The symbols of a kernel, from its `/proc/kallsyms`.
///
/// Keeps the text and, for each symbol, its address, its place in the text and the hash of its
/// name: what the joins compare.
struct KernelSymbols {
  private struct Symbol {
    var address: UInt64
    var start: UInt32
    var length: UInt16
  }

  private let text: [UInt8]
  private var symbols: [Symbol] = []

  /// Symbols that were found.
  var count: Int { symbols.count }
  /// Every address is 0: the kernel hid them (`kernel.kptr_restrict`).
  private(set) var isHidden = false

  /// Reads lines of `ADDRESS TYPE NAME [MODULE]`; other lines are passed over. The text is below
  /// 4 GiB.
  init(_ kallsyms: [UInt8]) {
    text = kallsyms
    let bytes = kallsyms.span
    var start = 0
    var isSorted = true
    while start < bytes.count {
      let end = ByteSource.lineFeed(in: bytes, from: start, to: bytes.count) ?? bytes.count
      if let symbol = Self.symbol(bytes, start, end) {
        if let last = symbols.last, last.address > symbol.address { isSorted = false }
        symbols.append(symbol)
      }
      start = end + 1
    }
    isHidden = !symbols.isEmpty && symbols.allSatisfy { $0.address == 0 }
    if !isSorted { symbols.sort { ($0.address, $0.start) < ($1.address, $1.start) } }
  }

  private static func symbol(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Symbol? {
    var at = start
    while at < end, bytes[at] != 0x20 { at += 1 }
    guard at > start, end - at > 3, bytes[at + 2] == 0x20,
      let address = Fields.hexadecimal(bytes, start, at)
    else { return nil }
    let name = at + 3
    var stop = name
    while stop < end, bytes[stop] != 0x09, bytes[stop] != 0x20 { stop += 1 }
    guard stop > name, stop - name < 1024 else { return nil }
    return Symbol(address: address, start: UInt32(name), length: UInt16(stop - name))
  }

  /// Index of the symbol `address` lies in or behind.
  private func index(of address: UInt64) -> Int? {
    var low = 0
    var high = symbols.count
    while low < high {
      let middle = (low + high) / 2
      if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    // The first of several names of an address is the one the kernel prints.
    var found = low - 1
    while found > 0, symbols[found - 1].address == symbols[found].address { found -= 1 }
    return found
  }

  /// Hash of the name `address` belongs to; nil below the first symbol.
  func hash(of address: UInt64) -> UInt64? {
    guard !isHidden, let index = index(of: address) else { return nil }
    let symbol = symbols[index]
    return Interop.Symbol.hash(
      text.span, Int(symbol.start), Int(symbol.start) + Int(symbol.length))
  }

  /// The name `address` belongs to; nil below the first symbol.
  func name(of address: UInt64) -> [UInt8]? {
    guard !isHidden, let index = index(of: address) else { return nil }
    let symbol = symbols[index]
    return Array(text[Int(symbol.start)..<Int(symbol.start) + Int(symbol.length)])
  }
}
