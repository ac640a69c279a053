import Testing

@testable import TraceFormat

/// What a flight recorder writes is the slice that ends where it stands.
@Suite struct FlightRecorderTests {
  private static let options = TraceWriter.Options(blockEvents: 50)

  private static func events() -> [Event] {
    TraceFiles.numbered(
      EventStreams.make(.lives, count: 9000, seed: 3).map { event in
        var event = event
        if [.loss, .lossEnd, .mark].contains(event.kind) { event.kind = .quiesce }
        return event
      })
  }

  /// The file of ``events()``, with names that change and texts.
  private static func file(_ folder: TemporaryFolder) throws -> String {
    let bytes = try TraceFiles.bytes(events(), options: options) {
      if $1 % 60 == 0 { try $0.setTaskName("task \($1)", of: 100) }
      if $1 % 90 == 0 { _ = try $0.addString("text \($1)") }
    }
    try folder.write(bytes, to: "whole.ptt")
    return folder.file("whole.ptt")
  }

  /// Reads `batches` batches (all if nil) through a recorder and writes what it keeps.
  private static func record(
    _ span: FlightRecorder.Span, batches: Int? = nil, _ folder: TemporaryFolder
  ) throws -> (ordinals: ClosedRange<UInt64>, reader: TraceReader) {
    let recorder = FlightRecorder(try TraceReader(path: file(folder)), keeping: span)
    var batch = EventBatch()
    var read = 0
    while read != batches, try recorder.next(into: &batch) { read += 1 }
    let ordinals = try recorder.write(to: folder.file("kept.ptt"), options: options)
    return (try #require(ordinals), try TraceReader(path: folder.file("kept.ptt")))
  }

  private static func all(_ reader: TraceReader) throws -> [Event] {
    var events: [Event] = []
    var batch = EventBatch()
    while try reader.next(into: &batch) { events += batch.events }
    return events
  }

  @Test(arguments: [1, 77, 5000, 8999]) func theLastEventsAreKept(_ count: Int) throws {
    let folder = TemporaryFolder()
    let kept = try Self.record(.events(count), folder)
    let range = UInt64(9000 - count)...8999
    #expect(kept.ordinals == range)
    #expect(try Self.all(kept.reader) == Array(Self.events().suffix(count)))
    _ = try TraceSlice.cut(
      .ordinals(range), of: folder.file("whole.ptt"), to: folder.file("slice.ptt"),
      options: Self.options)
    let slice = try TraceReader(path: folder.file("slice.ptt"))
    #expect(
      kept.reader.history(before: range.lowerBound) == slice.history(before: range.lowerBound))
    for task: UInt32 in 90..<110 {
      #expect(
        kept.reader.taskName(task)
          == {
            _ = try? Self.all(slice); return slice.taskName(task)
          }())
    }
  }

  @Test func whatIsShorterIsKeptWhole() throws {
    let folder = TemporaryFolder()
    let kept = try Self.record(.events(100_000), folder)
    #expect(kept.ordinals == 0...8999)
    #expect(kept.reader.header.firstOrdinal == nil)
    #expect(try Self.all(kept.reader) == Self.events())
  }

  @Test func timesAreKept() throws {
    let folder = TemporaryFolder()
    let events = Self.events()
    let latest = events.map(\.time).max()!
    let span = latest - events[7000].time
    let kept = try Self.record(.time(span), folder)
    let first = Int(kept.ordinals.lowerBound)
    #expect(kept.ordinals.upperBound == 8999)
    #expect(events[first].time >= latest - span && events[first - 1].time < latest - span)
  }

  @Test(arguments: [2, 3, 7]) func itStopsAnywhere(_ batches: Int) throws {
    let folder = TemporaryFolder()
    let reader = try TraceReader(path: Self.file(folder))
    var batch = EventBatch()
    for _ in 0..<batches { #expect(try reader.next(into: &batch)) }
    let end = batch.firstOrdinal + UInt64(batch.events.count)
    let kept = try Self.record(.events(60), batches: batches, folder)
    #expect(kept.ordinals == (end - 60)...(end - 1))
  }

  @Test func nothingMakesNoFile() throws {
    let folder = TemporaryFolder()
    let recorder = FlightRecorder(try TraceReader(path: Self.file(folder)), keeping: .events(5))
    #expect(try recorder.write(to: folder.file("kept.ptt")) == nil)
  }
}
