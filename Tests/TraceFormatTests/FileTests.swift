import Glibc
import Testing

@testable import TraceFormat

/// Real files: nothing half-written, nothing damaged, every refusal in words.
@Suite struct FileTests {
  private static let header = TraceFiles.header

  @Test func nothingAppearsBeforeTheEnd() throws {
    let folder = TemporaryFolder()
    let writer = try TraceWriter(path: folder.file("a.ptt"), header: Self.header)
    try writer.append(Event(.quiesce, time: 1))
    try writer.flushBlock()
    #expect(folder.names.count == 1)
    #expect(folder.names[0].hasSuffix(".partial"))
    // What is flushed can be read already.
    let early = try TraceReader(path: folder.file(folder.names[0]))
    #expect(early.eventCount == 1)
    #expect(!early.isComplete)
    try writer.finish()
    #expect(folder.names == ["a.ptt"])
    #expect(try TraceReader(path: folder.file("a.ptt")).isComplete)
  }

  @Test func anAbandonedWriterLeavesTheOldFile() throws {
    let folder = TemporaryFolder()
    try folder.write([1, 2, 3], to: "a.ptt")
    do {
      let writer = try TraceWriter(path: folder.file("a.ptt"), header: Self.header)
      try writer.append(Event(.quiesce, time: 1))
      try writer.flushBlock()
      #expect(folder.names.count == 2)
    }
    #expect(folder.names == ["a.ptt"])
    #expect(try folder.read("a.ptt") == [1, 2, 3])
    let writer = try TraceWriter(path: folder.file("a.ptt"), header: Self.header)
    writer.abandon()
    #expect(folder.names == ["a.ptt"])
    #expect(throws: TraceError.self) { try writer.append(Event(.quiesce, time: 1)) }
  }

  @Test func twoWritersOfOneFileDoNotMeet() throws {
    let folder = TemporaryFolder()
    let first = try TraceWriter(path: folder.file("a.ptt"), header: Self.header)
    let second = try TraceWriter(path: folder.file("a.ptt"), header: Self.header)
    try first.append(Event(.quiesce, time: 1))
    try second.append(Event(.quiesce, time: 2))
    try second.append(Event(.quiesce, time: 3))
    try first.finish()
    #expect(try TraceReader(path: folder.file("a.ptt")).eventCount == 1)
    try second.finish()
    #expect(try TraceReader(path: folder.file("a.ptt")).eventCount == 2)
    #expect(folder.names == ["a.ptt"])
  }

  @Test func aReplacedFileKeepsItsModeAndItsLink() throws {
    let folder = TemporaryFolder()
    try folder.write([1], to: "real")
    #expect(unsafe chmod(folder.file("real"), 0o640) == 0)
    #expect(unsafe symlink(folder.file("real"), folder.file("link")) == 0)
    try folder.write([2, 3], to: "link")
    #expect(folder.names == ["link", "real"])
    #expect(try folder.read("real") == [2, 3])
    #expect(try FileDescriptor.status(of: folder.file("real"))?.mode == 0o640)
  }

  @Test func aFullDiskIsAnError() throws {
    let writer = try TraceWriter(path: "/dev/full", header: Self.header)
    let error = #expect(throws: TraceError.self) {
      for _ in 0..<100_000 { try writer.append(Event(.quiesce, time: 1)) }
      try writer.finish()
    }
    #expect(error?.file == "/dev/full")
    #expect(error?.what.contains("No space left") == true)
    #expect(throws: error!) { try writer.append(Event(.quiesce, time: 1)) }
  }

  @Test func aBrokenPipeIsAnError() throws {
    let folder = TemporaryFolder()
    let path = folder.file("pipe")
    #expect(unsafe mkfifo(path, 0o600) == 0)
    let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
    let output = try AtomicOutput(path: path)
    close(reader)
    try output.write([1])
    let error = #expect(throws: TraceError.self) { try output.flush() }
    #expect(error?.what == AtomicOutput.brokenPipe)
    #expect(folder.names == ["pipe"])
  }

  @Test func aPipeIsReadAsItComes() throws {
    let folder = TemporaryFolder()
    let events = TraceFiles.numbered(EventStreams.make(.lives, count: 500, seed: 2))
    let bytes = try TraceFiles.bytes(events, options: .init(blockEvents: 100))
    let input = try folder.pipe("pipe", holding: bytes)
    let reader = try TraceReader(input)
    #expect(reader.eventCount == nil && reader.blockCount == nil && reader.fileSize == nil)
    #expect(throws: TraceError.self) { try reader.seek(toOrdinal: 1) }
    var batch = EventBatch()
    var got: [Event] = []
    while try reader.next(into: &batch) { got += batch.events }
    #expect(got == events)
    #expect(reader.isComplete)
    #expect(reader.eventCount == 500)
    #expect(try reader.columnSizes().first { $0.name == "tokens" }?.raw == 500)
  }

  @Test(arguments: ["/no/such/folder/a.ptt", "/", "/proc/x.ptt", "", "a\0b"])
  func badTargetsAreErrors(_ path: String) {
    #expect(throws: TraceError.self) { _ = try TraceWriter(path: path, header: Self.header) }
  }

  @Test func badInputsAreErrors() throws {
    let folder = TemporaryFolder()
    try folder.write([], to: "empty")
    try folder.write(Array("# tracer: nop\n".utf8), to: "text")
    try folder.write([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], to: "zst")
    let expected: [(String, String)] = [
      (folder.path, "is a directory"), (folder.file("none"), "does not exist"),
      (folder.file("empty"), "is empty"), (folder.file("text"), "is not a trace"),
      (folder.file("zst"), "is not a trace"), ("/dev/null", "is empty"),
    ]
    for (path, what) in expected {
      let error = #expect(throws: TraceError.self) { _ = try TraceReader(path: path) }
      #expect(error?.what == what)
      #expect(error?.file == path)
    }
  }
}
