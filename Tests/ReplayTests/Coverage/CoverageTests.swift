import Foundation
import Testing
import TraceFormat

@testable import Replay

/// What a load has exercised: counts, the first of each, and what never happened.
///
/// What it does not verify: that a person finds the list of holes short enough.
@Suite struct CoverageTests {
  private func coverage(_ traces: Trace...) throws -> Coverage {
    var coverage = Coverage()
    for (number, trace) in traces.enumerated() {
      try coverage.add(trace.source(), file: "\(number).ptt")
    }
    return coverage
  }

  /// One life on the table path; `meanwhile` happens between the queue and the flush.
  private func life(_ meanwhile: (inout Trace) -> Void = { _ in }) -> Trace {
    Trace {
      $0.born(1, locks: true)
      $0.on(cpu: 2, task: 200) {
        $0.enter(7, .nolock); $0.load(1, in: 7)
      }
      $0.unlink(1); $0.queue(1)
      meanwhile(&$0)
      $0.flush(); $0.callRCU(Trace.head(1), load: 1)
      $0.on(cpu: 2, task: 200) { $0.exit(7) }
      $0.gp(); $0.runBatch([1], locks: true)
    }
  }

  @Test func aReaderAcrossEachStep() throws {
    let coverage = try coverage(life())
    for step in [TeardownStep.unlink, .queueBatch, .flushStart, .flushEnd, .callRCU] {
      #expect(coverage[step, .mayLock].count == 1, "\(step)")
      #expect(coverage[step, .nobody].count == 0, "\(step)")
    }
    for step in [TeardownStep.callbackStart, .lockFree, .destructor, .free] {
      #expect(coverage[step, .nobody].count == 1, "\(step)")
      #expect(coverage[step, .mayLock].count == 0, "\(step)")
    }
    #expect(coverage[ReaderStep.load, .live].count == 1)
  }

  @Test func whoHoldsItAndHow() throws {
    let coverage = try coverage(
      life {
        $0.on(cpu: 2, task: 200) { $0.lock(Trace.lockAddress(1), section: 7, pfn: 1) }
        $0.on(cpu: 3, task: 300) { $0.enter(8, .lock) }
      })
    #expect(coverage[TeardownStep.queueBatch, .mayLock].count == 1)
    #expect(coverage[TeardownStep.flushStart, .holdsLock].count == 1)
    #expect(coverage[TeardownStep.flushStart, .lateSection].count == 1)
    #expect(coverage[TeardownStep.flushStart, .mayLock].count == 0)
    #expect(coverage[ReaderStep.lock, .queued].count == 1)
  }

  /// Who reclaims a table is a reader of it, too: that is no concurrency.
  @Test func theReclaimerItselfDoesNotCount() throws {
    let coverage = try coverage(
      Trace {
        $0.born(1); $0.enter(7, .nolock); $0.load(1, in: 7); $0.unlink(1); $0.queue(1)
        $0.exit(7)
      })
    #expect(coverage[TeardownStep.unlink, .nobody].count == 1)
    #expect(coverage[TeardownStep.unlink, .mayLock].count == 0)
  }

  @Test func earlyAndLate() throws {
    let early = try coverage(
      Trace {
        $0.born(1, locks: true); $0.s1([1], locks: true)
      })
    #expect(early[TeardownStep.earlyDestructor, .nobody].count == 1)
    #expect(early[TeardownStep.earlyLockFree, .nobody].count == 1)
    #expect(!early.happened(.destructor))
    #expect(early[TeardownStep.free, .nobody].count == 1)
    // Early or late is the kernel's choice: no hole of the load.
    #expect(!early.holes.contains { $0.event == TeardownStep.destructor.name })
  }

  @Test func holesAcrossManyTraces() throws {
    let hole = Coverage.Hole(event: "call_rcu", during: TableHolder.mayLock.phrase)
    let alone = try coverage(
      Trace {
        $0.born(1); $0.s3([1])
      })
    #expect(alone.holes.contains(hole))
    let both = try coverage(
      Trace {
        $0.born(1); $0.s3([1])
      }, life())
    #expect(!both.holes.contains(hole))
    #expect(both[TeardownStep.callRCU, .mayLock].first?.file == "1.ptt")
    #expect(both[TeardownStep.callRCU, .nobody].first?.file == "0.ptt")
    // What never happened at all is one hole.
    let fallback = both.holes.filter { $0.event == TeardownStep.fallback.name }
    #expect(fallback == [Coverage.Hole(event: TeardownStep.fallback.name, during: nil)])
  }

  /// What a sound kernel never lets happen is no hole, and is marked where it happened.
  @Test func theImpossibleIsNoHole() throws {
    let holes = try coverage(life()).holes
    #expect(
      !holes.contains { $0.event == "page freed after GP" && $0.during?.contains("M") == true })
    let broken = try coverage(
      Trace {
        $0.born(1);
        $0.on(cpu: 2, task: 200) {
          $0.enter(7, .map); $0.load(1, in: 7)
        }
        $0.s3([1])
      })
    #expect(broken[TeardownStep.free, .content].count == 1)
    #expect(
      CoverageText(broken).lines.contains {
        $0.contains("page freed after GP") && $0.contains("1!")
      })
  }

  /// What the source cannot show is neither seen nor missing.
  @Test func aSourceWithoutReaders() throws {
    let trace = life().without(.readerEnter, .readerExit, .readerLoad)
    let coverage = try coverage(trace)
    #expect(!coverage.seesReaders)
    #expect(!coverage.holes.contains { $0.during != nil })
    #expect(CoverageText(coverage).lines.contains { $0.contains("do not show who holds") })
    var inferred = life()
    inferred.header.capabilities[.tableUnlink] = .inferred
    #expect(try !self.coverage(inferred).visibleSteps.contains(.unlink))
  }

  @Test func nothingAtAll() throws {
    #expect(try coverage(Trace { $0.quiesce() }).isEmpty)
    #expect(try !coverage(life()).isEmpty)
  }

  @Test func jsonIsAsDocumented() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let schema = try JSONSchema(
      Data(contentsOf: root.appendingPathComponent("docs/coverage.schema.json")))
    let bytes = try CoverageJSON(coverage(life())).bytes()
    let value = try JSONSerialization.jsonObject(with: Data(bytes))
    #expect(schema.complaints(about: value) == [])
  }

  /// Whatever comes, in any order, is counted without a trap.
  @Test func noise() throws {
    for seed in 0..<40 {
      let trace = MalformedTraceTests.noise(seed: UInt64(seed), length: 120)
      #expect(try !CoverageText(coverage(trace)).lines.isEmpty)
    }
  }
}
