import TraceFormat

/// How far the life of a table has come, as seen before an event.
public enum TableState: UInt8, Sendable, CaseIterable {
  /// Allocated; no entry points at it yet.
  case fresh
  /// An entry points at it.
  case live
  /// Its entry was cleared.
  case unlinked
  /// Queued for freeing, or falling back; its mm was not invalidated since.
  case queued
  /// Queued, and its mm was invalidated since the unlink.
  case flushed
  /// Given to `call_rcu()`; no grace period has begun since.
  case given
  /// A grace period that began after that is in progress.
  case inGracePeriod
  /// A grace period that began after the unlink is over.
  case waited
  /// Its destructor has run, or its ptlock was freed.
  case destructed
  /// Its page was freed.
  case freed

  /// In a word or two.
  public var name: String {
    switch self {
    case .fresh: "new"
    case .live: "live"
    case .unlinked: "unlinked"
    case .queued: "queued"
    case .flushed: "flushed"
    case .given: "call_rcu"
    case .inGracePeriod: "in GP"
    case .waited: "GP over"
    case .destructed: "dead"
    case .freed: "freed"
    }
  }
}

/// Who can reach a table while something happens to it.
public enum TableHolder: UInt8, Sendable, CaseIterable {
  /// Nobody, as far as the trace shows.
  case nobody
  /// A walker with interrupts off (class G) that loaded it.
  case interruptsOff
  /// A reader of its content (class M) that loaded it.
  case content
  /// A reader that may take its ptlock (classes L, N, P), and has not.
  case mayLock
  /// One that spins on its ptlock.
  case spins
  /// One that holds its ptlock.
  case holdsLock
  /// A section that began after its unlink is open, and does not hold it: nobody waits for that.
  case lateSection

  /// In a word or two, for a column.
  public var name: String {
    switch self {
    case .nobody: "nobody"
    case .interruptsOff: "G"
    case .content: "M"
    case .mayLock: "L,N,P"
    case .spins: "spins"
    case .holdsLock: "has lock"
    case .lateSection: "late"
    }
  }

  /// In words.
  public var phrase: String {
    switch self {
    case .nobody: "nobody holds it"
    case .interruptsOff: "a walker with interrupts off (G) holds it"
    case .content: "a reader of its content (M) holds it"
    case .mayLock: "a reader that may take its ptlock (L, N, P) holds it"
    case .spins: "a reader spins on its ptlock"
    case .holdsLock: "a reader holds its ptlock"
    case .lateSection: "a section that began after the unlink is open"
    }
  }
}

/// A step of a table's teardown.
public enum TeardownStep: UInt8, Sendable, CaseIterable {
  case unlink
  case queueBatch
  case queuePage
  case deferred
  case fallback
  case flushStart
  case flushEnd
  case syncStart
  case syncEnd
  case callRCU
  case gracePeriodStart
  case gracePeriodEnd
  case callbackStart
  /// ptlock freed before a grace period …
  case earlyLockFree
  /// … and after one.
  case lockFree
  /// Destructor before a grace period …
  case earlyDestructor
  /// … and after one.
  case destructor
  /// Page freed without a grace period …
  case earlyFree
  /// … and after one.
  case free
  /// The page becomes another table, or something else.
  case pageAgain
  /// The ptlock's memory becomes another ptlock.
  case lockAgain

  /// In a few words.
  public var name: String {
    switch self {
    case .unlink: "unlink"
    case .queueBatch: "queue (table batch)"
    case .queuePage: "queue (page gather)"
    case .deferred: "pte_free_defer"
    case .fallback: "no-memory fallback"
    case .flushStart: "TLB flush begins"
    case .flushEnd: "TLB flush is over"
    case .syncStart: "sync IPI sent"
    case .syncEnd: "sync IPI answered"
    case .callRCU: "call_rcu"
    case .gracePeriodStart: "grace period begins"
    case .gracePeriodEnd: "grace period is over"
    case .callbackStart: "callback starts"
    case .earlyLockFree: "ptlock freed, no GP yet"
    case .lockFree: "ptlock freed after GP"
    case .earlyDestructor: "destructor, no GP yet"
    case .destructor: "destructor after GP"
    case .earlyFree: "page freed, no GP"
    case .free: "page freed after GP"
    case .pageAgain: "page handed out again"
    case .lockAgain: "ptlock handed out again"
    }
  }

  /// Kinds without which the step is never seen.
  var kinds: KindSet {
    switch self {
    case .unlink: [.tableUnlink]
    case .queueBatch: [.tableQueueBatch]
    case .queuePage: [.tableQueuePage]
    case .deferred: [.tableDefer]
    case .fallback: [.tableFallback]
    case .flushStart: [.flushStart]
    case .flushEnd: [.flushEnd]
    case .syncStart: [.ipiSyncStart]
    case .syncEnd: [.ipiSyncEnd]
    case .callRCU: [.callRCU]
    case .gracePeriodStart: [.gracePeriodStart]
    case .gracePeriodEnd: [.gracePeriodEnd]
    case .callbackStart: [.callbackStart]
    case .earlyLockFree, .lockFree: [.lockFree]
    case .earlyDestructor, .destructor: [.tableDestruct]
    case .earlyFree, .free: [.tableFree]
    case .pageAgain: [.tableAlloc]
    case .lockAgain: [.lockAlloc]
    }
  }

  /// Steps that a kernel does in one of several ways: where one was seen, the others are no holes.
  var alternatives: [TeardownStep] {
    switch self {
    case .queueBatch, .queuePage: [.queueBatch, .queuePage]
    case .earlyLockFree, .lockFree: [.earlyLockFree, .lockFree]
    case .earlyDestructor, .destructor: [.earlyDestructor, .destructor]
    case .earlyFree, .free: [.earlyFree, .free]
    case .syncStart, .syncEnd: [.syncStart, .syncEnd, .gracePeriodEnd]
    case .callRCU, .callbackStart, .gracePeriodStart, .gracePeriodEnd:
      // A kernel that frees from the page gather needs no RCU.
      [self, .queuePage]
    default: [self]
    }
  }

  /// Whether a step with this holder can be met in a kernel that does what it should: what cannot
  /// is what `check` is there for, and no hole in what a test load exercises.
  func isReachable(with holder: TableHolder) -> Bool {
    switch holder {
    case .nobody: true
    case .lateSection: self != .unlink && self != .lockAgain
    case .interruptsOff:
      // Whatever waits for a CPU with interrupts off waits for it.
      switch self {
      case .syncEnd, .gracePeriodEnd, .callbackStart, .lockFree, .destructor, .earlyFree, .free,
        .pageAgain, .lockAgain:
        false
      default: true
      }
    case .content, .mayLock, .spins, .holdsLock:
      switch self {
      case .gracePeriodEnd, .callbackStart, .lockFree, .destructor, .free, .earlyFree, .pageAgain,
        .lockAgain:
        false
      default: true
      }
    }
  }
}

/// What a reader does to a table.
public enum ReaderStep: UInt8, Sendable, CaseIterable {
  case load
  case access
  case write
  case wait
  case lock
  case unlock
  case same
  case changed
  case pin
  case hardwareLoad
  case hardwareAccess

  /// In a few words.
  public var name: String {
    switch self {
    case .load: "loads the entry"
    case .access: "reads"
    case .write: "writes"
    case .wait: "spins on the ptlock"
    case .lock: "takes the ptlock"
    case .unlock: "releases the ptlock"
    case .same: "compares: unchanged"
    case .changed: "compares: changed"
    case .pin: "pins a page (G)"
    case .hardwareLoad: "page walker loads"
    case .hardwareAccess: "page walker reads"
    }
  }

  /// Kinds without which it is never seen.
  var kinds: KindSet {
    switch self {
    case .load: [.readerLoad]
    case .access, .write: [.readerAccess]
    case .wait: [.lockWait]
    case .lock: [.lockAcquire]
    case .unlock: [.lockRelease]
    case .same, .changed: [.readerRecheck]
    case .pin: [.readerPin]
    case .hardwareLoad: [.hardwareLoad]
    case .hardwareAccess: [.hardwareAccess]
    }
  }

  /// Whether it can be met in a kernel that does what it should.
  func isReachable(in state: TableState) -> Bool {
    switch state {
    case .fresh: false
    case .live: self != .changed
    case .unlinked, .queued, .flushed, .given, .inGracePeriod:
      switch self {
      // Nothing leads there any more, and nobody writes to what has changed.
      case .load, .hardwareLoad, .same, .write: false
      // Invalidated: the page walkers have forgotten it.
      case .hardwareAccess: state == .unlinked || state == .queued
      default: true
      }
    case .waited, .destructed, .freed: false
    }
  }
}
