/// Turns addresses of struct page into page frame numbers.
///
/// The kernel has one array of struct page (vmemmap): page = base + pfn × size. Both numbers come
/// from the trace itself.
struct PageMap: Equatable {
  /// Address of the struct page of pfn 0, modulo 2^64.
  var base: UInt64
  /// Size of a struct page in bytes.
  var size: UInt64
  /// The numbers are not pfns: no pair of address and pfn was found, and addresses are counted in
  /// units of 64 bytes only to tell tables apart.
  var isSubstitute = false

  /// The pfn of the struct page at `page`; nil if no struct page can lie there.
  func pfn(_ page: UInt64) -> UInt64? {
    let distance = page &- base
    if size == 64 {
      guard distance & 63 == 0, distance >> 6 < 1 << 44 || isSubstitute else { return nil }
      return distance >> 6
    }
    guard distance % size == 0, distance / size < 1 << 44 || isSubstitute else { return nil }
    return distance / size
  }
}

/// How an upper entry names the table below it.
enum EntryFormat: CaseIterable {
  case riscv, x86, arm

  /// The table's pfn; nil where the entry is empty, a leaf or not present.
  func pfn(_ entry: UInt64) -> UInt64? {
    switch self {
    case .riscv:
      guard entry & 1 == 1, entry & 0xE == 0 else { return nil }
      return (entry >> 10) & ((1 << 44) - 1)
    case .x86:
      guard entry & 1 == 1, entry & 0x80 == 0 else { return nil }
      return (entry >> 12) & ((1 << 40) - 1)
    case .arm:
      guard entry & 3 == 3 else { return nil }
      return (entry >> 12) & ((1 << 36) - 1)
    }
  }

  /// Whether an entry for a table looks like this format beyond what `pfn(_:)` reads: x86 sets
  /// the accessed and dirty bits of every table entry, arm64 has zeros there.
  func isTypical(_ entry: UInt64) -> Bool {
    switch self {
    case .riscv: true
    case .x86: entry & 0x60 == 0x60
    case .arm: entry & 0x60 == 0
    }
  }

  /// Name of the architecture in the header.
  var arch: String {
    switch self {
    case .riscv: "riscv64"
    case .x86: "x86_64"
    case .arm: "arm64"
    }
  }

  /// The format of `arch`, if it is known.
  init?(arch: String) {
    guard let format = Self.allCases.first(where: { $0.arch == arch }) else { return nil }
    self = format
  }
}

/// Counts what a number of witnesses say and tells what most of them say.
struct Ballot {
  private var votes = NumberTable<Int>()
  private(set) var total = 0
  /// What the last witnesses said, and how many of them said it, that are not counted yet: most say
  /// the same.
  private var recent: UInt64 = 0
  private var repeats = 0

  @inline(__always)
  mutating func vote(_ value: UInt64) {
    total += 1
    if value != recent {
      count()
      recent = value
    }
    repeats += 1
  }

  private mutating func count() {
    defer { repeats = 0 }
    // A ballot that nobody wins would grow with the trace.
    guard repeats > 0, votes.count < 4096 || votes.has(recent) else { return }
    votes[recent, default: 0] += repeats
  }

  /// The value at least `share` percent of at least `quorum` witnesses name.
  func winner(quorum: Int, share: Int) -> UInt64? {
    guard total >= quorum else { return nil }
    var counted = self
    counted.count()
    guard let best = counted.votes.entries.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
      best.value * 100 >= total * share
    else { return nil }
    return best.key
  }
}
