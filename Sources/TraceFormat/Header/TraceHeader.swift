/// What a trace says about itself: where it comes from and what it is able to see.
///
/// Written at the start of a file and again, completed, in its footer; a reader that reaches the
/// footer gets the completed one. Stored as JSON with sorted keys.
public struct TraceHeader: Codable, Equatable, Sendable {
  /// Who made the events: `simulator`, `ftrace-text`, `merge` …
  public var source: String
  /// The program that wrote the file, with its version.
  public var producer: String
  /// Stage label (`S1.sbi`), only when the producer knows it; never guessed.
  public var stage: String?
  /// Kernel release, where known.
  public var kernel: String?
  /// Architecture (`riscv64`, `x86_64`, `arm64`), where known.
  public var arch: String?
  /// Name of the machine (its `uname -n`), where known.
  public var host: String?
  /// The machine's `/proc/sys/kernel/random/boot_id`, another one for each boot; nil if not known.
  public var boot: String?
  /// Workload, or the command that was recorded.
  public var workload: String?
  /// Seed of the run, where there was one.
  public var seed: UInt64?
  /// Further facts of the run, for people (paging mode, options …).
  public var options: [String: String]
  /// Number of CPUs the source recorded.
  public var cpus: Int
  /// The clock of ``Event/time``.
  public var clock: Clock
  /// What the source is able to see.
  public var capabilities: Capabilities
  /// What the producer knows about the machine; nil if nothing.
  public var machine: MachineFacts?
  /// Facts counted while recording or importing, for people (lines not understood …).
  public var counts: [String: UInt64]
  /// Ordinal of the first event, of a file that was cut out of a longer one; nil = 0.
  public var firstOrdinal: UInt64?
  /// Sentences a reader should see (`3 pt_dtor probe hits were missed`).
  public var remarks: [String]

  /// Makes a header with nothing optional set.
  public init(source: String, producer: String, cpus: Int, clock: Clock) {
    self.source = source
    self.producer = producer
    self.cpus = cpus
    self.clock = clock
    self.options = [:]
    self.capabilities = Capabilities()
    self.counts = [:]
    self.remarks = []
  }
}

/// The clock of a trace.
public struct Clock: Codable, Equatable, Sendable {
  /// ftrace's name for it (`mono`, `local`, `counter` …) or `simulated`.
  public var name: String
  /// Units of ``Event/time`` per second; nil where the clock only counts events.
  public var unitsPerSecond: UInt64?

  /// Makes a clock.
  public init(name: String, unitsPerSecond: UInt64?) {
    self.name = name
    self.unitsPerSecond = unitsPerSecond
  }

  /// Nanoseconds.
  public static func nanoseconds(_ name: String) -> Clock {
    Clock(name: name, unitsPerSecond: 1_000_000_000)
  }
}

/// Which kinds of events a source is able to see, and how surely.
///
/// A kind that is not listed cannot be seen at all: its absence says nothing.
public struct Capabilities: Codable, Equatable, Sendable {
  /// How surely a kind is recorded when it happens.
  public enum Visibility: String, Codable, Sendable {
    /// Every occurrence outside a declared loss is in the trace.
    case sure
    /// Occurrences may be missing without any mark (probe misses, BPF recursion).
    case mayMiss = "may-miss"
    /// Concluded from other events; some occurrences cannot be concluded.
    case inferred
  }

  /// Visibility by kind name.
  public var kinds: [String: Visibility]
  /// Known number of silent misses by kind name, an upper bound where `missesAreCumulative`.
  public var misses: [String: UInt64]
  /// The miss counters also count what happened before this recording.
  public var missesAreCumulative: Bool
  /// Why a kind may miss, by kind name, in a short phrase for people.
  public var reasons: [String: String]

  /// Sees nothing.
  public init() {
    kinds = [:]
    misses = [:]
    missesAreCumulative = false
    reasons = [:]
  }

  /// Declares a kind.
  public subscript(kind: EventKind) -> Visibility? {
    get { kinds[kind.name] }
    set { kinds[kind.name] = newValue }
  }
}

extension TraceHeader {
  /// Whether a `loss` may come long after the hole it tells of began (docs/EVENTS.md, Losses).
  public var tellsHolesLate: Bool {
    get { options["losses"] == "told of late" }
    set { options["losses"] = newValue ? "told of late" : nil }
  }
}
