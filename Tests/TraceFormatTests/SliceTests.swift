import Testing

@testable import TraceFormat

/// A slice is the whole, seen through a window.
@Suite struct SliceTests {
  private static let options = TraceWriter.Options(blockEvents: 50)

  /// A file of `events`, with names and texts.
  private static func whole(_ events: [Event]) throws -> [UInt8] {
    try TraceFiles.bytes(events, options: options) {
      if $1 % 60 == 0 { try $0.setTaskName("task \($1)", of: 100) }
      if $1 % 90 == 0 { _ = try $0.addString("text \($1)") }
    }
  }

  private static func cut(
    _ events: [Event], _ range: TraceSlice.Range
  ) throws -> (report: TraceSlice.Report, events: [Event], reader: TraceReader) {
    let folder = TemporaryFolder()
    try folder.write(whole(events), to: "whole.ptt")
    let report = try TraceSlice.cut(
      range, of: folder.file("whole.ptt"), to: folder.file("part.ptt"), options: options)
    let reader = try TraceReader(path: folder.file("part.ptt"))
    var all: [Event] = []
    var batch = EventBatch()
    while try reader.next(into: &batch) { all += batch.events }
    return (report, all, reader)
  }

  /// What stands for losses and marks is about the file, not about the whole.
  private static func events(_ shape: EventStreams.Shape) -> [Event] {
    TraceFiles.numbered(
      EventStreams.make(shape, count: 600, seed: 11).map { event in
        var event = event
        if [.loss, .lossEnd, .mark].contains(event.kind) { event.kind = .quiesce }
        return event
      })
  }

  @Test(arguments: EventStreams.Shape.allCases, [0...599, 0...0, 49...50, 123...456, 599...599])
  func eventsKeepTheirGenerations(_ shape: EventStreams.Shape, _ range: ClosedRange<UInt64>) throws
  {
    let events = Self.events(shape)
    let slice = try Self.cut(events, .ordinals(range))
    #expect(slice.events == Array(events[Int(range.lowerBound)...Int(range.upperBound)]))
    #expect(slice.report.ordinals == range)
    #expect(slice.reader.firstOrdinal == range.lowerBound)
    #expect((slice.reader.snapshots.count == 1) == (range.lowerBound > 0))
    #expect(slice.reader.isComplete)
    #expect(slice.reader.header.remarks.last?.hasPrefix("cut out of a longer trace") == true)
  }

  @Test func namesAndTextsComeAlong() throws {
    var events = Self.events(.lives)
    events[300] = Event(.mark, time: events[300].time, task: 100, object: 3)
    let slice = try Self.cut(events, .ordinals(250...310))
    let mark = try #require(slice.events.first { $0.kind == .mark })
    #expect(slice.reader.string(mark.object) == "text 270")
    #expect(slice.reader.taskName(100) == "task 300")
  }

  @Test func aLossThatIsOpenIsInTheSnapshot() throws {
    var events = Self.events(.lives)
    events[20] = Event(.loss, time: events[20].time, cpu: 1, object: 2, arg0: 5)
    events[30] = Event(.loss, time: events[30].time, cpu: Event.allCPUs, object: 1, arg0: 7)
    events[110] = Event(.lossEnd, time: events[110].time, cpu: Event.allCPUs, object: 1)
    let slice = try Self.cut(events, .ordinals(400...499))
    #expect(slice.events == Array(events[400...499]))
    #expect(slice.reader.firstOrdinal == 400 && slice.reader.endOrdinal == 500)
    let history = try #require(slice.reader.history(before: 400))
    #expect(slice.reader.history(before: 399) == nil)
    let losses = history.items.filter { [.loss, .lossEnd].contains($0.event.kind) }
    #expect(losses.map(\.ordinal) == [20, 30, 110])
    #expect(history.items.allSatisfy { $0.event == events[Int($0.ordinal)] })
    #expect(slice.report.historyEvents == history.items.count)
  }

  @Test func aSliceOfASliceIsASliceOfTheWhole() throws {
    let events = Self.events(.lives)
    let direct = try Self.cut(events, .ordinals(300...400))
    let folder = TemporaryFolder()
    try folder.write(Self.whole(events), to: "in.ptt")
    _ = try TraceSlice.cut(
      .ordinals(200...500), of: folder.file("in.ptt"), to: folder.file("1.ptt"))
    _ = try TraceSlice.cut(.ordinals(300...400), of: folder.file("1.ptt"), to: folder.file("2.ptt"))
    let twice = try TraceReader(path: folder.file("2.ptt"))
    #expect(twice.history(before: 300) == direct.reader.history(before: 300))
    #expect(twice.firstOrdinal == 300 && twice.eventCount == 101)
    #expect(throws: TraceError.self) {
      try TraceSlice.cut(.ordinals(0...199), of: folder.file("1.ptt"), to: folder.file("3.ptt"))
    }
  }

  @Test func timesBecomeOrdinals() throws {
    let events = Self.events(.lives)
    let slice = try Self.cut(events, .times((events[100].time)...(events[199].time)))
    #expect(slice.events == Array(events[100...199]))
    #expect(slice.report.blocksRead <= 7)
    let all = try Self.cut(events, .times(0...(.max)))
    #expect(all.events == events)
  }

  @Test func emptyRangesAndBadFilesAreErrors() throws {
    let events = Self.events(.lives)
    #expect(throws: TraceError.self) { try Self.cut(events, .ordinals(600...700)) }
    #expect(throws: TraceError.self) { try Self.cut(events, .times(0...5)) }
    #expect(throws: TraceError.self) { try Self.cut([], .ordinals(0...5)) }
    let folder = TemporaryFolder()
    #expect(throws: TraceError.self) {
      try TraceSlice.cut(.ordinals(0...5), of: folder.file("no.ptt"), to: folder.file("out.ptt"))
    }
    #expect(folder.names.isEmpty)
  }
}
