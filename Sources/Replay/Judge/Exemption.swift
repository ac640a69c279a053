/// The legal endings and orders of kernel-facts §5 that an invariant can meet.
public enum Exemption: String, Sendable, CaseIterable {
  /// Lost allocation race: never installed.
  case e1 = "E1"
  /// Constructor failed: alloc and free alone.
  case e2 = "E2"
  /// `pte_free_defer()`: a callback of its own.
  case e3 = "E3"
  /// Deposited table.
  case e4 = "E4"
  /// PGD, freed by `__mmdrop()`.
  case e8 = "E8"
  /// Kernel page tables.
  case e10 = "E10"
  /// Early destructor by design of the stage or path: a stage property, not a crash.
  case e13 = "E13"
  /// Parent freed before child.
  case e14 = "E14"
  /// Page kept by an extra reference and freed later.
  case e15 = "E15"
  /// Level without constructor and destructor in this version (kernel-facts §1.4).
  case level = "level"

  /// What it is, in one line.
  public var summary: String {
    switch self {
    case .e1: "lost allocation race, unused preallocation: never installed, freed at once"
    case .e2: "the constructor failed: allocated and freed, nothing else"
    case .e3: "pte_free_defer(): a callback of its own (counted, and judged)"
    case .e4: "deposited on a PMD table, withdrawn, freed at once"
    case .e8: "PGD: freed by __mmdrop(); without constructor and destructor before v6.14"
    case .e10: "table of init_mm (flag kernel)"
    case .e13: "early destructor by design of the stage: a finding of I13 and I14, not a crash"
    case .e14: "parent freed before its child: both are unreachable"
    case .e15: "page held by somebody else's reference, freed after its callback or fallback"
    case .level: "a level without constructor and destructor in this kernel"
    }
  }
}
