import Testing

@testable import TraceFormat

/// Traces of one machine become one trace.
@Suite struct MergeTests {
  private static func write(
    _ parts: [[Event]], _ headers: [TraceHeader]? = nil, into folder: TemporaryFolder
  ) throws -> [String] {
    try parts.enumerated().map { number, events in
      let path = folder.file("part\(number).ptt")
      let header = headers?[number] ?? TraceFiles.header
      let writer = try TraceWriter(path: path, header: header, options: .init(blockEvents: 30))
      try writer.setTaskName("task of \(number)", of: UInt32(100 + number))
      let text = try writer.addString("text of \(number)")
      for var event in events {
        if event.kind == .mark { event.object = text }
        try writer.append(event)
      }
      try writer.finish()
      return path
    }
  }

  private static func merge(
    _ parts: [[Event]], _ headers: [TraceHeader]? = nil, _ order: TraceMerge.Order = .time
  ) throws -> (events: [Event], reader: TraceReader) {
    let folder = TemporaryFolder()
    let inputs = try write(parts, headers, into: folder)
    let output = folder.file("all.ptt")
    let count = try TraceMerge.merge(inputs, order: order, producer: "tests", to: output)
    let reader = try TraceReader(path: output)
    var events: [Event] = []
    var batch = EventBatch()
    while try reader.next(into: &batch) { events += batch.events }
    #expect(UInt64(events.count) == count && reader.isComplete)
    return (events, reader)
  }

  @Test func filesOfCPUsBecomeTheWholeAgain() throws {
    let events = TraceFiles.numbered(EventStreams.make(.lives, count: 500, seed: 3))
    let parts = (0..<4).map { cpu in events.filter { $0.cpu == UInt16(cpu) } }
    let merged = try Self.merge(parts)
    #expect(merged.events == events)
    #expect(merged.reader.header.source == "merge")
    #expect(merged.reader.header.cpus == 4)
  }

  @Test func tiesGoInTheOrderOfTheFilesAndLateEventsStayInTheirs() throws {
    func event(_ time: UInt64, _ object: UInt64) -> Event {
      Event(.tableInstall, time: time, object: object)
    }
    let first = [event(5, 1), event(9, 2), event(7, 3)]
    let second = [event(5, 4), event(8, 5), event(9, 6)]
    #expect(try Self.merge([first, second]).events.map(\.object) == [1, 4, 5, 2, 3, 6])
    #expect(try Self.merge([second, first]).events.map(\.object) == [4, 1, 5, 6, 2, 3])
  }

  @Test func namesAndTextsFindTheirEvents() throws {
    let parts = (0..<3).map { number in
      [Event(.mark, time: 10 - UInt64(number), task: UInt32(100 + number), object: 0)]
    }
    let merged = try Self.merge(parts)
    #expect(merged.events.map(\.task) == [102, 101, 100])
    for event in merged.events {
      #expect(merged.reader.string(event.object) == "text of \(event.task - 100)")
      #expect(merged.reader.taskName(event.task) == "task of \(event.task - 100)")
    }
  }

  @Test func oneAfterTheOtherHasALossBetween() throws {
    let first = [
      Event(.tableAlloc, time: 50, object: 1), Event(.loss, time: 60, cpu: 2, object: 1),
    ]
    let second = [Event(.tableAlloc, time: 20, object: 1)]
    let merged = try Self.merge([first, [], second], nil, .given)
    #expect(merged.events.map(\.kind) == [.tableAlloc, .loss, .loss, .lossEnd, .tableAlloc])
    #expect(merged.events[2].cpu == Event.allCPUs && merged.events[2].arg0 == Event.unknownCount)
    #expect(merged.events[4].generation == 2)
  }

  @Test func theMergedTraceSeesWhatAllSee() throws {
    var one = TraceFiles.header
    var two = TraceFiles.header
    one.capabilities[.tableAlloc] = .sure
    two.capabilities[.tableAlloc] = .mayMiss
    two.capabilities.reasons = ["pt_alloc": "recursion"]
    one.capabilities[.tableFree] = .sure
    two.capabilities[.tableFree] = .sure
    one.capabilities[.lockFree] = .sure
    one.capabilities.misses = ["pt_alloc": 3]
    two.capabilities.misses = ["pt_alloc": 4]
    one.counts = ["lines": 5]
    two.counts = ["lines": .max]
    one.stage = "S4"
    two.options["a"] = "other"
    let header = try Self.merge([[], []], [one, two]).reader.header
    #expect(header.capabilities.kinds == ["pt_alloc": .mayMiss, "pt_free": .sure])
    #expect(header.capabilities.reasons == ["pt_alloc": "recursion"])
    #expect(header.capabilities.misses == ["pt_alloc": 7])
    #expect(header.counts == ["lines": .max])
    #expect(header.stage == nil && header.options == ["b": "2"])
  }

  @Test func whatDoesNotBelongTogetherIsRefused() throws {
    var clock = TraceFiles.header
    clock.clock = Clock(name: "counter", unitsPerSecond: nil)
    var (kernel, other) = (TraceFiles.header, TraceFiles.header)
    kernel.kernel = "6.12"
    other.kernel = "6.13"
    func header(_ host: String? = nil, boot: String? = nil, seed: UInt64? = nil) -> TraceHeader {
      var header = TraceFiles.header
      (header.host, header.boot, header.seed) = (host, boot, seed)
      return header
    }
    for headers in [
      [TraceFiles.header, clock], [kernel, other], [header("a"), header("b")],
      [header(boot: "1"), header(boot: "2")], [header(seed: 1), header(seed: 2)],
    ] {
      let folder = TemporaryFolder()
      let inputs = try Self.write([[], []], headers, into: folder)
      let error = #expect(throws: TraceError.self) {
        _ = try TraceMerge.merge(
          inputs, order: .time, producer: "tests", to: folder.file("all.ptt"))
      }
      #expect(error?.file == inputs[1])
      #expect(folder.names == ["part0.ptt", "part1.ptt"])
    }
  }

  @Test func runsAreComparedAcrossInputsThatSayNothing() throws {
    var headers = [TraceFiles.header, TraceFiles.header, TraceFiles.header]
    (headers[0].boot, headers[2].boot) = ("1", "2")
    #expect(throws: TraceError.self) { _ = try Self.merge([[], [], []], headers) }
    headers[2].boot = "1"
    #expect(try Self.merge([[], [], []], headers).reader.header.boot == nil)
  }

  @Test func runsOfOneMachineMayFollowEachOther() throws {
    var headers = [TraceFiles.header, TraceFiles.header]
    for run in 0..<2 {
      (headers[run].host, headers[run].boot) = ("board", "\(run)")
      headers[run].seed = UInt64(run)
    }
    let header = try Self.merge([[], []], headers, .given).reader.header
    #expect(header.host == "board" && header.boot == nil && header.seed == nil)
    headers[1].host = "other"
    #expect(throws: TraceError.self) { _ = try Self.merge([[], []], headers, .given) }
  }

  @Test func damageInOneInputLeavesNoOutput() throws {
    let folder = TemporaryFolder()
    let events = EventStreams.make(.lives, count: 90, seed: 3)
    let inputs = try Self.write([events, events], into: folder)
    var bytes = try folder.read("part1.ptt")
    let entry = try TraceReader(bytes: bytes).index[1]
    bytes[Int(entry.endOffset) - 1] ^= 1
    try folder.write(bytes, to: "part1.ptt")
    #expect(throws: TraceError.self) {
      _ = try TraceMerge.merge(inputs, order: .time, producer: "t", to: folder.file("all.ptt"))
    }
    #expect(folder.names == ["part0.ptt", "part1.ptt"])
  }
}
