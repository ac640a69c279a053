import TraceFormat

/// A hole in the trace: events of `cpu` after line `afterLine` are missing.
struct Hole: Equatable {
  var afterLine: Int
  var cpu: UInt16
  var cause: LossCause
  var count: UInt64?
}

/// What has to be known before the first event can be written.
///
/// Counts events by name, finds where each CPU's holes begin, and collects the witnesses for
/// addresses (struct page ↔ pfn, linear map ↔ pfn), entry format and statistic number.
/// Events are handed over `inout` and only read: a value of 400 bytes would be copied each time.
struct Survey {
  private(set) var lines = 0
  private(set) var eventLines = 0
  private(set) var functionLines = 0
  private(set) var comments = 0
  /// The first piece that is no event.
  private(set) var firstBad: String?
  /// How often a name occurred.
  struct Tally {
    private(set) var lines = 0
    /// Of these, printed by a BPF program.
    private(set) var programs = 0
    /// Of these, with the `(symbol+offset)` of a kprobe or fprobe.
    private(set) var probes = 0

    @inline(__always)
    fileprivate mutating func add(_ origin: RecordedEvent.Origin) {
      lines += 1
      switch origin {
      case .program: programs += 1
      case .probe: probes += 1
      case .tracepoint: break
      }
    }
  }

  /// Per index of ``NameTable/entries``.
  private(set) var tallies = [Tally](repeating: Tally(), count: NameTable.shared.entries.count)
  /// Last event line of each CPU; 0 where it has none.
  private(set) var lastLine: [Int] = []
  private(set) var holes: [Hole] = []
  /// Last event line of any CPU.
  var lastEvent: Int { lastLine.max() ?? 0 }
  /// Holes of a live trace are written when they are met and not kept here.
  var keepsHoles = true
  /// Number of holes.
  private(set) var holeCount = 0
  private(set) var heading = Heading()
  /// Files the recording script put into the trace.
  private(set) var embedded = EmbeddedFiles()
  private(set) var isCounter = false
  var addresses = AddressWitnesses()
  var statistics = StatisticWitnesses()
  var locks = LockWitnesses()
  /// Functions that were given to `call_rcu()`.
  private(set) var calls: Set<CallbackFunction> = []
  private var pointers = Ballot()

  private let names = NameTable.shared
  private let probes = NameTable.shared.probes
  private let surveyedFields = Probe.surveyedByName

  /// The keys of the event with the name at `index` that are needed; nil if it is only counted.
  @inline(always)
  mutating func wantedFields(of index: Int) -> FieldSet? {
    switch probes[index] {
    case .pageAlloc, .pageFree: addresses.wantsPage() ? surveyedFields[index] : nil
    case .pteLock: addresses.wantsEntries ? surveyedFields[index] : nil
    default: surveyedFields[index]
    }
  }

  /// Takes an event whose fields were read if they are wanted.
  mutating func take(_ index: Int, _ event: inout RecordedEvent) {
    count(index, &event)
    witness(probes[index], &event)
  }

  /// Takes an event whose fields say nothing.
  @inline(always)
  mutating func count(_ index: Int, _ event: inout RecordedEvent) {
    takeUnknown(&event)
    tallies[index].add(event.origin)
  }

  mutating func takeFunction() {
    lines += 1
    functionLines += 1
  }

  mutating func takeLoss(cpu: UInt16, count: UInt64?) {
    lines += 1
    holeCount += 1
    guard keepsHoles else { return }
    let after = Int(cpu) < lastLine.count ? lastLine[Int(cpu)] : 0
    holes.append(Hole(afterLine: after, cpu: cpu, cause: .lostEvents, count: count))
  }

  mutating func takeBad(_ example: () -> String) {
    lines += 1
    if firstBad == nil { firstBad = example() }
  }

  mutating func takeComment(_ bytes: Span<UInt8>) {
    lines += 1
    comments += 1
    if comments < 64 { heading.read(bytes) }
    embedded.take(bytes)
  }

  /// Takes an event whose name is not known.
  @inline(always)
  mutating func takeUnknown(_ event: inout RecordedEvent) {
    lines += 1
    eventLines += 1
    let cpu = Int(event.cpu)
    if cpu >= lastLine.count {
      lastLine.append(contentsOf: repeatElement(0, count: cpu + 1 - lastLine.count))
    }
    if lastLine[cpu] == 0 { isCounter = event.isCounter }
    lastLine[cpu] = lines
  }

  private mutating func witness(_ probe: Probe, _ event: inout RecordedEvent) {
    let cpu = Int(event.cpu)
    switch probe {
    case .pageAlloc, .pageFree: addresses.take(probe, &event.fields, cpu: cpu)
    case .construct, .destruct, .queueTable, .queuePage, .install,
      .tableFree, .tablePut, .freePMD, .freePUD, .batchCallback, .batchCallbackReturn:
      addresses.take(probe, &event.fields, cpu: cpu)
      statistics.take(probe, &event.fields)
    case .pteLock: addresses.takeEntry(&event.fields)
    case .slabAlloc, .slabFree:
      locks.take(probe, &event.fields)
      if let pointer = event[.ptr] { pointers.vote(pointer >> 32 == 0 ? 0 : 1) }
    case .callRCU, .callRCUTracepoint, .invokeCallback:
      if probe != .invokeCallback { calls.insert(Symbol.callback(event[.function])) }
      guard probe != .callRCU, let pointer = event[.head] else { return }
      pointers.vote(pointer >> 32 == 0 ? 0 : 1)
    default: break
    }
  }

  /// Makes a survey of some of the lines speak for all of them, which are about so many.
  mutating func assume(eventLines: Int) { self.eventLines = eventLines }

  /// Trace points print `%p`, which is 32 bits of a hash unless options/hash-ptr=0 was set. Probes
  /// print addresses all the same.
  var hashesPointers: Bool { pointers.winner(quorum: 1, share: 50) == 0 }

  /// Number of lines that stand for `probe`.
  func count(_ probe: Probe) -> Int {
    names.indices(of: probe).reduce(0) { $0 + tallies[$1].lines }
  }

  /// What the lines that begin with `#` say.
  struct Heading {
    var tracer: String?
    var entries: UInt64?
    var written: UInt64?
    var cpus: Int?

    mutating func read(_ bytes: Span<UInt8>) {
      guard bytes.count < 512 else { return }
      let text = String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
      let words = text.split(separator: " ")
      if words.count >= 3, words[1] == "tracer:" { tracer = String(words[2]) }
      if words.count >= 3, words[1].hasPrefix("entries-in-buffer/") {
        let numbers = words[2].split(separator: "/")
        if numbers.count == 2 {
          entries = UInt64(numbers[0])
          written = UInt64(numbers[1])
        }
      }
      for word in words where word.hasPrefix("#P:") {
        cpus = Int(word.dropFirst(3)).flatMap { (1...4096).contains($0) ? $0 : nil }
      }
    }
  }
}
