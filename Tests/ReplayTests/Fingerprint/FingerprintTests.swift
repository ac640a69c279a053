import Replay
import Testing
import TraceFormat

/// The rules on literals: what is proof, and what is none.
@Suite struct FingerprintTests {
  private func fingerprint(_ trace: Trace) throws -> Fingerprint {
    try Fingerprint(of: trace.source())
  }

  private func labels(_ fingerprint: Fingerprint) -> [String] {
    fingerprint.candidates.map(\.label)
  }

  @Test func anEmptyTraceTellsNothing() throws {
    let fingerprint = try fingerprint(Trace { _ in })
    #expect(!fingerprint.isCertain)
    #expect(labels(fingerprint).count == StageRule.all.count)
    #expect(fingerprint.reasons.count == 1)
  }

  @Test func anEarlyDestructorIsSeenAtTheQueue() throws {
    let fingerprint = try fingerprint(
      Trace {
        $0.emit(.tableDestruct, 1, level: .pte)
        $0.emit(.tableQueueBatch, 1, level: .pte)
      })
    #expect(labels(fingerprint) == ["S1.sbi", "S2h"])
    let example = try #require(fingerprint.traits.destructor.example(.early))
    #expect(example.fromAt == 0 && example.at == 1)
  }

  /// The queue alone shows the path; what the destructor does remains open.
  @Test func aTraceThatEndsAtTheQueueCannotTell() throws {
    let fingerprint = try fingerprint(Trace { $0.emit(.tableQueueBatch, 1, level: .pte) })
    #expect(!fingerprint.isCertain)
    #expect(fingerprint.reasons[0].contains("no destructor of a queued table"))
  }

  @Test func aHoleBetweenTheTwoProvesNothing() throws {
    let fingerprint = try fingerprint(
      Trace {
        $0.emit(.tableDestruct, 1, level: .pte)
        $0.emit(.loss, 1, 7)
        $0.emit(.lossEnd, 1)
        $0.emit(.tableQueueBatch, 1, level: .pte)
      })
    #expect(fingerprint.traits.destructor.total == 0)
    #expect(!fingerprint.isCertain)
    #expect(fingerprint.traits.losses == 1)
  }

  @Test func anInferredQueueProvesNothing() throws {
    let fingerprint = try fingerprint(
      Trace {
        $0.emit(.tableDestruct, 1, level: .pte)
        $0.emit(.tableQueueBatch, 1, level: .pte, flags: .inferred)
      })
    #expect(fingerprint.traits.path.total == 0)
    #expect(!fingerprint.isCertain)
  }

  @Test func contradictingLivesAreNoAnswer() throws {
    let fingerprint = try fingerprint(
      Trace {
        $0.emit(.tableQueuePage, 1, level: .pte)
        $0.emit(.tableQueueBatch, 2, level: .pte)
      })
    #expect(fingerprint.traits.path.isMixed)
    #expect(!fingerprint.isCertain)
    #expect(fingerprint.reasons[0] == "the queue differs within the trace: 1 × table, 1 × page")
  }

  /// One straggler in two hundred lives is not an answer of its own.
  @Test func aStragglerDoesNotMakeADoubt() throws {
    let fingerprint = try fingerprint(
      Trace {
        for pfn in UInt64(1)...200 { $0.emit(.tableQueuePage, pfn, level: .pte) }
        $0.emit(.tableQueueBatch, 999, level: .pte)
      })
    #expect(fingerprint.traits.path.answer == .page)
  }

  @Test func aFlushAcknowledgedByAnotherCPUIsAnIPI() throws {
    let flush = Trace {
      $0.emit(.tableDestruct, 1, level: .pte)
      $0.emit(.tableQueueBatch, 1, level: .pte)
      $0.emit(.flushStart, 77)
      $0.emit(.flushAck, 77)
      $0.on(cpu: 1) { $0.emit(.flushAck, 78) }
      $0.on(cpu: 1) { $0.emit(.flushAck, 77) }
      $0.emit(.flushEnd, 77)
      $0.on(cpu: 1) { $0.emit(.flushAck, 77) }
    }
    let here = try fingerprint(flush)
    #expect(here.traits.transport.total == 1)
    #expect(labels(here) == ["S2h"])
    // Elsewhere the way of the flush says nothing about the path.
    var elsewhere = flush
    elsewhere.header.arch = "x86_64"
    #expect(labels(try fingerprint(elsewhere)) == ["S1.sbi", "S2h"])
  }

  @Test func aSourceThatCannotSeeSaysSo() throws {
    let fingerprint = try fingerprint(Trace { _ in }.without(.tableQueueBatch))
    #expect(fingerprint.reasons[0].hasSuffix("this source does not record pt_queue_table"))
  }
}
