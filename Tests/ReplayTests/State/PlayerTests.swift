import Replay
import Testing
import TraceFormat

/// The state at any instant, and the story of one table.
@Suite struct PlayerTests {
  private let trace = Trace {
    $0.born(1, locks: true)
    $0.born(2, locks: true)
    $0.enter(7)
    $0.load(2, in: 7)
    $0.lock(Trace.lockAddress(2), section: 7, pfn: 2)
    $0.queueBatch([1], locks: true)
    $0.gp()
    $0.runBatch([1], locks: true)
    $0.unlock(Trace.lockAddress(2), section: 7, pfn: 2)
    $0.exit(7)
  }

  private func ordinal(of kind: EventKind) -> Ordinal {
    Ordinal(trace.events.firstIndex { $0.kind == kind }!)
  }

  private func state(after kind: EventKind, batchSize: Int = 4096) throws -> Resolver {
    var player = Player(trace.source(batchSize: batchSize))
    #expect(try player.play(to: .ordinal(ordinal(of: kind))))
    #expect(player.event?.kind == kind)
    #expect(player.ordinal == ordinal(of: kind))
    return player.state
  }

  @Test(arguments: [1, 3, 4096])
  func phasesOfALife(batchSize: Int) throws {
    let expected: [(EventKind, Phase)] = [
      (.tableAlloc, .allocated), (.tableConstruct, .constructed), (.tableInstall, .installed),
      (.tableUnlink, .unlinked), (.tableQueueBatch, .queuedInBatch),
      (.callRCU, .waitingForGracePeriod), (.tableFree, .freed),
    ]
    for (kind, phase) in expected {
      let state = try state(after: kind, batchSize: batchSize)
      #expect(state.phase(of: state.table(pfn: 1)!) == phase, "\(kind.name)")
    }
  }

  @Test func placesInTime() throws {
    var player = Player(trace.source())
    let time = trace.events[5].time
    #expect(try player.play(to: .time(time + 1)))
    #expect(player.ordinal == 5)
    player = Player(trace.source(batchSize: 2))
    #expect(try player.play(to: .time(time)))
    #expect(player.ordinal == 5)
    player = Player(trace.source())
    #expect(try !player.play(to: .time(trace.events[0].time - 1)))
    player = Player(trace.source())
    #expect(try player.play(to: .time(.max)))
    #expect(player.ordinal == Ordinal(trace.events.count - 1))
  }

  @Test func placeBehindTheEnd() throws {
    var player = Player(trace.source())
    #expect(try !player.play(to: .ordinal(Ordinal(trace.events.count))))
  }

  @Test func stateAsText() throws {
    let state = try state(after: .callRCU)
    let text = StateText(state, header: trace.header, limit: 20) { _ in "reader" }.lines
      .joined(separator: "\n")
    #expect(text.contains("live tables: 2"))
    #expect(text.contains("waiting for its callback: 1"))
    #expect(text.contains("callbacks waiting: 1"))
    #expect(text.contains("waits for a grace period to begin"))
    #expect(text.contains("readers inside: 1"))
    #expect(text.contains("class N on cpu0 in reader-100"))
    #expect(text.contains("locks held or waited for: 1"))
    #expect(text.contains("of table 0x2#1 held by reader-100"))
    let later = StateText(
      try self.state(after: .gracePeriodEnd), header: trace.header, limit: 20
    ) { _ in nil }.lines.joined(separator: "\n")
    #expect(later.contains("its grace period is over, may run"))
  }

  @Test func storyOfATable() throws {
    let story = TableStory(pfn: 1, generation: 1)
    var kinds: [EventKind] = []
    var player = Player(trace.source())
    try player.play { event, state in
      if story.includes(event, after: state) { kinds.append(event.event.kind) }
      return true
    }
    for kind in [
      EventKind.tableAlloc, .lockAlloc, .tableConstruct, .tableInstall, .tableUnlink,
      .tableQueueBatch, .callRCU, .callbackStart, .lockFree, .tableDestruct, .tableFree,
    ] { #expect(kinds.contains(kind), "\(kind.name)") }
    #expect(!kinds.contains(.readerLoad))
    #expect(kinds.count { $0 == .tableAlloc } == 1)
    let none = TableStory(pfn: 1, generation: 2)
    player = Player(trace.source())
    try player.play { event, state in
      #expect(!none.includes(event, after: state))
      return true
    }
  }
}
