import Foundation
import Testing

@testable import TraceFormat

/// What SIGKILL leaves of a file that is being written.
///
/// The system keeps every byte a killed process has handed to it, so that the partial file as it
/// lies there at some instant is what a kill at that instant would leave; where the kill falls into
/// a write, it is a prefix of that, for which see ``DamageTests``.
@Suite struct CrashTests {
  @Test(arguments: [TraceWriter.Snapshots.none, .every(90)], [UInt64(5), 6])
  func atAnyInstantOnlyTheUnflushedBlockIsLost(
    _ snapshots: TraceWriter.Snapshots, _ seed: UInt64
  ) throws {
    let folder = TemporaryFolder()
    let events = TraceFiles.numbered(EventStreams.make(.lives, count: 2000, seed: seed))
    let blockEvents = 37
    let writer = try TraceWriter(
      path: folder.file("a.ptt"), header: TraceFiles.header,
      options: .init(blockEvents: blockEvents, snapshots: snapshots))
    let partial = try #require(folder.names.first { $0.hasSuffix(".partial") })
    var random = SplitMix64(seed: seed)
    var nextKill = Int.random(in: 0...60, using: &random)
    var kills = 0
    for (written, event) in events.enumerated() {
      if written == nextKill {
        let left = TraceFiles.read(try folder.read(partial))
        if left.events.count + blockEvents <= written {
          Issue.record("\(left.events.count) of \(written) events are left")
        }
        // Of a new file not even the header has reached the system.
        #expect(left.error == nil || left.events.isEmpty && written < blockEvents)
        #expect(left.events == Array(events[..<left.events.count]))
        #expect(!left.isComplete)
        kills += 1
        nextKill += Int.random(in: 1...60, using: &random)
      }
      try writer.append(event)
    }
    #expect(kills > 50)
    writer.abandon()
    #expect(folder.names.isEmpty)
  }

  @Test func whatIsLeftIsRecoveredWhole() throws {
    let folder = TemporaryFolder()
    let events = TraceFiles.numbered(EventStreams.make(.lives, count: 100, seed: 8))
    let writer = try TraceWriter(
      path: folder.file("a.ptt"), header: TraceFiles.header, options: .init(blockEvents: 30))
    for event in events { try writer.append(event) }
    let partial = try #require(folder.names.first { $0.hasSuffix(".partial") })
    let report = try TraceRecovery.recover(folder.file(partial), to: folder.file("b.ptt"))
    #expect(!report.isLossy && report.endIsMissing && report.events == 90)
    #expect(TraceFiles.read(try folder.read("b.ptt")).events == Array(events[..<90]))
  }
}
