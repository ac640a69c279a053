public import TraceFormat

/// Paging mode of the simulated hart (kernel-facts §1.1, §10).
public enum PagingMode: String, Sendable, CaseIterable {
  /// PGD, PMD, PTE.
  case sv39
  /// PGD, PUD, PMD, PTE.
  case sv48
  /// PGD, P4D, PUD, PMD, PTE.
  case sv57

  /// Levels below the PGD, from the top.
  public var levels: [TableLevel] {
    switch self {
    case .sv39: [.pmd, .pte]
    case .sv48: [.pud, .pmd, .pte]
    case .sv57: [.p4d, .pud, .pmd, .pte]
    }
  }

  /// First address above user space.
  var userTop: UInt64 {
    switch self {
    case .sv39: 1 << 38
    case .sv48: 1 << 47
    case .sv57: 1 << 56
    }
  }
}

extension TableLevel {
  /// log2 of the bytes a whole table of this level covers.
  var spanShift: UInt64 {
    switch self {
    case .pte: 21
    case .pmd: 30
    case .pud: 39
    case .p4d: 48
    case .pgd, .unknown: 57
    }
  }

  /// Whether the table's split lock is its own (PMD and PTE) and not the mm's.
  var hasSplitLock: Bool { self == .pte || self == .pmd }

  /// Whether the table counts in `mm->pgtables_bytes`.
  var countsInTableBytes: Bool { self == .pte || self == .pmd || self == .pud }
}
