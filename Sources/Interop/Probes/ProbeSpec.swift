import TraceFormat

/// How much of a kernel is watched. Each set contains the one before.
public enum ProbeSet: Int, Sendable, CaseIterable, Comparable {
  /// Constructor, destructor, queue, callback, page allocator: enough to see which comes first.
  case minimal
  /// What the order is judged by: grace periods, gathers, flushes, locks, the fallback.
  case order
  /// And the walkers: fast GUP, `pte_offset_map()` and its kin.
  case walkers
  /// And what only explains: quiescent states, callback runs, IPIs.
  case full

  /// Name on the command line.
  public var name: String { "\(self)" }

  /// A smaller set comes first.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One value a probe records, written without any architecture's registers.
enum ProbeValue: Sendable, Equatable {
  /// Argument number n of the function, from 1.
  case argument(Int)
  /// What argument n points at, this many bytes in.
  case memory(Int, Int)
  /// The call site.
  case caller
  /// What the function returned.
  case result
  /// The member of a global that the kernel's BTF must find.
  case global(KernelMember)
  /// The member of what argument 1 points at, likewise.
  case member(KernelMember)
}

/// A member whose place differs from build to build (live-kernels.md: never hard-coded).
public enum KernelMember: String, Sendable, CaseIterable {
  /// `rcu_state.gp_seq`.
  case gracePeriodNumber = "rcu_state.gp_seq"
  /// `rcu_data.cpu`.
  case callbackCPU = "rcu_data.cpu"
}

/// One field of a probe's line.
struct ProbeField: Sendable {
  let name: String
  let value: ProbeValue
  /// How it is printed: `x64`, `s32`, `symbol` …
  let type: String
}

/// One probe: what is asked of which function, and why.
struct ProbeSpec: Sendable {
  /// Where the traced event stops being of interest.
  enum Filter: Sendable, Equatable {
    case none
    /// `idx==NR_PAGETABLE`, and the sign of `val`.
    case statistic(positive: Bool)
    /// `func` is one of these functions.
    case function([String])
    /// The call site lies in one of these functions.
    case callers([String])
    /// `ret==1`.
    case failed
  }

  /// Name of the event, as the importer knows it.
  let event: String
  /// The function, by its names through the versions; the first that exists is probed.
  let symbols: [String]
  let isReturn: Bool
  let set: ProbeSet
  let fields: [ProbeField]
  let filter: Filter
  /// Only for these architectures; empty = all.
  let architectures: [Architecture]
  /// Kernels from this version on do not need it.
  let before: KernelVersion?
  /// Which kinds of events its lines become.
  let kinds: [EventKind]
  /// Why, in a sentence.
  let why: String

  init(
    _ event: String, _ symbols: [String], _ set: ProbeSet, _ fields: [ProbeField] = [],
    isReturn: Bool = false, filter: Filter = .none, on architectures: [Architecture] = [],
    before: KernelVersion? = nil, shows kinds: [EventKind] = [], _ why: String
  ) {
    self.event = event
    self.symbols = symbols
    self.set = set
    self.fields = fields
    self.isReturn = isReturn
    self.filter = filter
    self.architectures = architectures
    self.before = before
    self.kinds = kinds
    self.why = why
  }
}

/// One trace point of the kernel.
struct TracePointSpec: Sendable {
  /// `kmem/mm_page_alloc`.
  let path: String
  let set: ProbeSet
  let kinds: [EventKind]
  /// Condition on its fields, as the shell sees it; empty = all.
  let filter: String
  /// Symbol without which it says nothing; nil = always useful.
  let needs: String?
  let why: String
}

/// An architecture the probes are known to work on.
public enum Architecture: String, Sendable, CaseIterable {
  case riscv64
  case x86_64
  case arm64

  /// The architecture by the names `uname -m`, Debian and Kbuild give it.
  public init?(named name: String) {
    switch name {
    case "riscv64", "riscv": self = .riscv64
    case "x86_64", "amd64", "x86": self = .x86_64
    case "arm64", "aarch64": self = .arm64
    default: return nil
    }
  }

  /// Where a function finds its return address when it is entered.
  var caller: String {
    switch self {
    case .riscv64: "%ra"
    case .x86_64: "$stack0"
    case .arm64: "%x30"
    }
  }

  /// Whether that is a register, of which an fprobe event can read none (`Argument is not
  /// supported` on 7.2, kernel/trace/trace_probe.c refuses them).
  var callerIsRegister: Bool { caller.hasPrefix("%") }
}

/// `6.12`, without what follows.
public struct KernelVersion: Sendable, Comparable, CustomStringConvertible {
  public let major: Int
  public let minor: Int

  /// Makes a version.
  public init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// Reads `6.12`, `v6.12.107` or a whole release (`7.2.13+deb14-amd64`).
  public init?(_ text: String) {
    let digits = text.hasPrefix("v") ? text.dropFirst() : Substring(text)
    let parts = digits.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2, let major = Int(parts[0]),
      let minor = Int(parts[1].prefix(while: \.isNumber)), (0...99).contains(major),
      (0...999).contains(minor)
    else { return nil }
    self.init(major, minor)
  }

  public var description: String { "\(major).\(minor)" }

  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}
