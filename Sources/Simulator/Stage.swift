public import TraceFormat

/// How one version of the kernel frees page tables: a policy tuple (kernel-facts §0, §1.5, §7).
public struct Stage: Sendable, Equatable, CustomStringConvertible {
  /// Where a table goes when its upper entry has been cleared.
  public enum FreePath: String, Sendable {
    /// Into the gather's table batch (`tlb_remove_table`).
    case table
    /// Into the gather's page list; freed right after the TLB flush.
    case page
    /// Back to the allocator on the spot, before the TLB flush (until v6.7).
    case immediate
  }

  /// When the destructor runs.
  public enum DestructorPlace: String, Sendable {
    /// In the unmapping task, before the table is queued.
    case atQueue
    /// Together with the free, in the callback or the fallback.
    case inFinalFree
  }

  /// How a TLB invalidation reaches the other CPUs (kernel-facts §1.3).
  public enum Transport: String, Sendable {
    /// The firmware does it; sections with IRQs off do not delay it.
    case sbi
    /// An S-mode interrupt; sections with IRQs off delay it.
    case ipi
    /// The hardware does it; nobody is interrupted.
    case broadcast
  }

  /// What happens to a table for which no batch page could be had (kernel-facts §2.4).
  public enum Fallback: String, Sendable {
    /// An empty IPI to every other CPU, then free at once.
    case ipiSync
    /// A callback of its own on the rcu_head inside the ptdesc.
    case rcuCallback
    /// `synchronize_rcu()`, then free at once.
    case synchronizeRCU
  }

  /// A set of table levels.
  public struct Levels: OptionSet, Sendable {
    /// One bit per ``TableLevel`` raw value.
    public let rawValue: UInt8

    /// Makes a set from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Makes a set of levels.
    public init(_ levels: TableLevel...) {
      rawValue = levels.reduce(0) { $0 | 1 << $1.rawValue }
    }

    /// Whether the level is in the set.
    public func contains(_ level: TableLevel) -> Bool { rawValue >> level.rawValue & 1 != 0 }
  }

  /// Label of kernel-facts §0, with the transport where it makes a difference.
  public var label: String
  /// What distinguishes the stage, in a few words.
  public var summary: String
  /// Path of PTE tables.
  public var ptePath: FreePath
  /// Path of PMD, PUD and P4D tables.
  public var upperPath: FreePath
  /// Whether table batches wait for a grace period.
  public var rcu: Bool
  /// When the destructor of a queued table runs.
  public var destructor: DestructorPlace
  /// How TLB invalidations travel.
  public var transport: Transport
  /// What happens when there is no batch page.
  public var fallback: Fallback
  /// The function that gives a queued table's page back.
  public var freeFunction: FreeFunction
  /// Whether the kernel itself frees empty PTE tables in madvise.
  public var ptReclaim: Bool
  /// Whether class G readers exist.
  public var hasFastGUP: Bool
  /// Levels whose tables are constructed, destructed and counted.
  public var levelsWithConstructor: Levels
  /// Tables per page; 1 on RISC-V.
  public var fragments: Int

  /// The label.
  public var description: String { label }

  /// Path of the tables of a level.
  public func path(of level: TableLevel) -> FreePath { level == .pte ? ptePath : upperPath }
}

extension Stage {
  /// v6.8: every level through the page gather; no RCU, no fast GUP.
  static let s0b = Stage(
    label: "S0b", summary: "v6.8: page gather at every level, no RCU",
    ptePath: .page, upperPath: .page, rcu: false, destructor: .atQueue, transport: .ipi,
    fallback: .ipiSync, freeFunction: .freePagesAndSwapCache, ptReclaim: false, hasFastGUP: false,
    levelsWithConstructor: .init(.pte, .pmd, .pud), fragments: 1)

  /// Up to v6.7: upper tables freed before the TLB flush.
  static let s0a = s0b.with("S0a", "up to v6.7: upper tables freed before the TLB flush") {
    $0.upperPath = .immediate
    $0.levelsWithConstructor = .init(.pte, .pmd)
  }

  /// v6.9–v6.13, SBI: tables wait for RCU, their destructor does not.
  static let s1sbi = s0b.with("S1.sbi", "v6.9-v6.13, SBI: freed by RCU, destructor at queue time") {
    $0.ptePath = .table
    $0.upperPath = .table
    $0.rcu = true
    $0.transport = .sbi
    $0.freeFunction = .freePageAndSwapCache
    $0.hasFastGUP = true
  }

  /// v6.9–v6.13, native IPIs (AIA): as v6.8, with fast GUP.
  static let s1ipi = s0b.with("S1.ipi", "v6.9-v6.13, IPI: page gather, destructor at queue time") {
    $0.hasFastGUP = true
  }

  /// Never released: RCU on every transport, destructor still early.
  static let s2h = s1sbi.with("S2h", "hypothetical: RCU on every transport, destructor early") {
    $0.transport = .ipi
  }

  /// v6.14, SBI: destructor and free in the callback.
  static let s3sbi = s1sbi.with("S3.sbi", "v6.14, SBI: destructor and free in the callback") {
    $0.destructor = .inFinalFree
    $0.freeFunction = .pagetableFree
    $0.levelsWithConstructor = .init(.pte, .pmd, .pud, .p4d, .pgd)
  }

  /// v6.14, native IPIs: still the page gather and the early destructor.
  static let s3ipi = s1ipi.with("S3.ipi", "v6.14, IPI: page gather, destructor at queue time") {
    $0.levelsWithConstructor = s3sbi.levelsWithConstructor
  }

  /// v6.14, after the generic code took over; the same timing.
  static let s3g = s3sbi.with("S3g", "v6.14, generic code, timing of S3.sbi") { _ in }

  /// v6.15–v6.19: the table path on every transport.
  static let s4 = s3sbi.with("S4", "v6.15-v6.19: as S3.sbi on every transport") { _ in }

  /// v7.0: PT_RECLAIM, no-memory fallback by RCU.
  static let s5 = s4.with("S5", "v7.0: PT_RECLAIM, no-memory fallback by RCU callback") {
    $0.ptReclaim = true
    $0.fallback = .rcuCallback
  }

  /// v7.1 and later; RISC-V keeps the fallback of S5, having PT_RECLAIM.
  static let s6 = s5.with("S6", "v7.1 and later: as S5") { _ in }

  /// S6 on a build without PT_RECLAIM: the fallback sleeps in `synchronize_rcu()`.
  static let s6sync = s6.with("S6.sync", "v7.1 without PT_RECLAIM: fallback synchronize_rcu") {
    $0.ptReclaim = false
    $0.fallback = .synchronizeRCU
  }

  private func with(_ label: String, _ summary: String, _ change: (inout Stage) -> Void) -> Stage {
    var stage = self
    stage.label = label
    stage.summary = summary
    change(&stage)
    return stage
  }
}
