import Replay
import Testing
import TraceFormat

/// Shapes of lives, and what two traces of them have not in common.
@Suite struct TraceDiffTests {
  private func profile(_ build: (inout Trace) -> Void) throws -> TraceProfile {
    try ProfileBuilder.profile(of: Trace(build).source())
  }

  private func s1(_ trace: inout Trace) {
    for pfn in UInt64(1)...4 {
      trace.born(pfn, locks: true)
      trace.s1([pfn], locks: true)
    }
  }

  private func s3(_ trace: inout Trace) {
    for pfn in UInt64(11)...14 {
      trace.born(pfn, locks: true)
      trace.s3([pfn], locks: true)
    }
  }

  @Test func destructorMovesIntoTheCallback() throws {
    let diff = TraceDiff(old: try profile(s1), new: try profile(s3))
    #expect(diff.isDifferent)
    #expect(diff.moves.map(\.what) == ["destructor", "ptlock free"])
    for move in diff.moves {
      #expect(move.from == .beforeQueue)
      #expect(move.to == .inCallback)
      #expect([move.fromCount, move.fromTotal, move.toCount, move.toTotal] == [4, 4, 4, 4])
    }
    #expect(diff.vanished.map(\.count) == [4])
    #expect(diff.appeared.map(\.count) == [4])
    #expect(
      diff.appeared[0].text.hasSuffix("pt_queue_table <gp> ptl_free@cb pt_dtor@cb pt_free@cb"))
    #expect(diff.vanished[0].text.hasSuffix("ptl_free pt_dtor pt_queue_table <gp> pt_free@cb"))
    let text = DiffText(diff, old: "a", new: "b").lines
    #expect(
      text[0]
        == "destructor moved: before the table was queued (4 of 4 tables) → inside the RCU "
        + "callback, after the grace period (4 of 4)")
    #expect(text[2].hasPrefix("cost: "))
  }

  @Test func addressesTimesAndCountsAreNoDifference() throws {
    let more = try profile { trace in
      for pfn in UInt64(100)...140 {
        trace.on(cpu: 2, task: 7) {
          $0.born(pfn, locks: true)
          $0.s3([pfn], locks: true)
        }
      }
    }
    let diff = TraceDiff(old: try profile(s3), new: more)
    #expect(!diff.isDifferent)
    #expect(DiffText(diff, old: "a", new: "b").lines[0] == "no difference in shape")
  }

  @Test func pathsThatComeAndGo() throws {
    let pages = try profile { trace in
      for pfn in UInt64(1)...4 {
        trace.born(pfn)
        trace.pagePath(pfn)
      }
    }
    let diff = TraceDiff(old: pages, new: try profile(s3))
    #expect(diff.paths.map(\.what) == ["table path (RCU batch)", "page path (no RCU)"])
    #expect(diff.paths.map(\.old) == [0, 4])
    #expect(diff.paths.map(\.new) == [4, 0])
  }

  @Test func rareShapesAreCountedAndNoDifference() throws {
    let many: (inout Trace) -> Void = { trace in
      for pfn in UInt64(1)...200 {
        trace.born(pfn)
        trace.s3([pfn])
      }
    }
    let diff = TraceDiff(
      old: try profile(many),
      new: try profile {
        many(&$0)
        $0.lostRace(900)
      })
    #expect(!diff.isDifferent)
    #expect(diff.rare == 1)
  }

  @Test func livesCutByAnEdgeOrAHoleHaveNoShape() throws {
    let whole = Trace { trace in
      trace.born(1)
      trace.born(2)
      trace.s3([1])
      trace.hole()
      trace.s3([2])
      trace.born(3)
    }
    let profile = try ProfileBuilder.profile(of: whole.source())
    #expect(profile.completeLives == 1)
    #expect(profile.cutLives == 2)
    let late = try ProfileBuilder.profile(of: whole.cut(from: .tableQueueBatch).source())
    #expect(late.completeLives == 0)
  }

  @Test func whatIsRetained() throws {
    let early = try profile { trace in
      trace.born(1, 2, 3, locks: true)
      trace.s1([1, 2, 3], locks: true)
    }
    let late = try profile { trace in
      trace.born(1, 2, 3, locks: true)
      trace.s3([1, 2, 3], locks: true)
    }
    #expect(early.peakRetainedTables == 3)
    #expect(early.peakUndestructed == 0)
    #expect(early.peakRetainedLocks == 0)
    #expect(late.peakRetainedTables == 3)
    #expect(late.peakUndestructed == 3)
    #expect(late.peakRetainedLocks == 3)
    #expect(late.unlinkToDestructor.count == 3)
    #expect((late.unlinkToFree.percentile(0.5) ?? 0) > (early.unlinkToDestructor.percentile(0.5)!))
  }

  @Test func profileDoesNotDependOnBatches() throws {
    let trace = Trace {
      s1(&$0)
      s3(&$0)
    }
    let one = try ProfileBuilder.profile(of: trace.source(batchSize: 1))
    let all = try ProfileBuilder.profile(of: trace.source())
    #expect(one.shapes.map(\.text) == all.shapes.map(\.text))
    #expect(one.facts == all.facts)
    #expect(one.peakUndestructed == all.peakUndestructed)
  }

  @Test func jsonSaysTheSame() throws {
    let diff = TraceDiff(old: try profile(s1), new: try profile(s3))
    let text = String(decoding: try DiffJSON(diff, old: "a", new: "b").bytes(), as: UTF8.self)
    #expect(text.contains("\"different\" : true"))
    #expect(text.contains("\"to\" : \"inside the RCU callback\""))
    #expect(text.hasSuffix("}\n"))
  }
}
