public import TraceFormat

/// One or two places in a trace that show a trait once, for a person to look at.
public struct TraitExample: Sendable, Hashable {
  /// Kind of the earlier event; nil where one event shows it.
  public var fromKind: EventKind?
  /// Its place; ``Ordinal/none`` without it.
  public var fromAt: Ordinal = .none
  /// The event that completes it.
  public let event: Event
  /// Its place.
  public let at: Ordinal
}

/// One way a kernel can be told from another, with every answer the trace gave.
///
/// Answers rest on events that were seen, with no hole between them: what a trace does not show
/// is no answer.
public struct Trait<Answer: Hashable & Sendable & CaseIterable>: Sendable {
  private var counts: [Answer: Int] = [:]
  private var examples: [Answer: TraitExample] = [:]

  /// Counts one showing.
  mutating func show(_ answer: Answer, _ example: TraitExample) {
    counts[answer, default: 0] += 1
    if examples[answer] == nil { examples[answer] = example }
  }

  /// Times an answer was given.
  public func count(_ answer: Answer) -> Int { counts[answer] ?? 0 }

  /// All answers together.
  public var total: Int { counts.values.reduce(0, +) }

  /// The first time an answer was given.
  public func example(_ answer: Answer) -> TraitExample? { examples[answer] }

  /// Answers given, most frequent first; ties in the order of the cases.
  public var answers: [Answer] {
    Answer.allCases.filter { count($0) > 0 }
      .enumerated().sorted { (count($1.element), $0.offset) < (count($0.element), $1.offset) }
      .map(\.element)
  }

  /// The answer, if there is one: all showings agree, but for a straggler in a hundred. A probe
  /// that misses a whole life without a trace can make two lives look like one.
  public var answer: Answer? {
    guard let first = answers.first, count(first) * 100 >= total * 99 else { return nil }
    return first
  }

  /// Answers contradict each other.
  public var isMixed: Bool { total > 0 && answer == nil }
}

/// Where tables go once they are unlinked.
public enum QueuePath: String, Sendable, CaseIterable {
  /// `tlb_remove_table()`: a batch that waits for RCU.
  case table
  /// The page gather: freed right after the TLB flush.
  case page
}

/// When the destructor, and the free of a separate ptlock, runs on the table path.
public enum DestructorOrder: String, Sendable, CaseIterable {
  /// Before the table was queued.
  case early
  /// In the RCU callback that frees the page.
  case inCallback = "in callback"
}

/// What holds off walkers when no batch page can be had (kernel-facts §2.4).
public enum FallbackWait: String, Sendable, CaseIterable {
  /// An IPI to every other CPU, then free at once: until v6.19.
  case ipiSync = "IPI sync"
  /// A callback of its own: with PT_RECLAIM.
  case callback = "RCU callback"
  /// `synchronize_rcu()`: since v7.1 without PT_RECLAIM.
  case synchronize = "synchronize_rcu"
}

/// How a TLB invalidation reached another CPU.
public enum FlushTransport: String, Sendable, CaseIterable {
  /// Another CPU handled it in an interrupt.
  case ipi = "IPI"
}

/// How PTE tables are unlinked outside `free_pgtables()`.
public enum ReclaimSign: String, Sendable, CaseIterable {
  /// PT_RECLAIM: madvise freed an empty PTE table, on a kernel of v6.14 (x86-64) or v7.0.
  case reclaimed
}

/// Whether the ptlock is an object of its own.
public enum LockKind: String, Sendable, CaseIterable {
  /// A slab object, `page->ptl`.
  case separate
}

/// Levels whose destructor only newer kernels have.
public enum LateDestructor: String, Sendable, CaseIterable {
  /// A P4D or PGD was destructed: v6.14 or later (kernel-facts §1.4).
  case upper = "p4d or pgd"
}
