import Testing
import TraceFormat

@testable import Replay

/// What must not be asserted (the end of kernel-facts §6), and every legal ending of §5: no
/// invariant says a word.
///
/// What it does not verify: that each of them is counted as exempt where it should be. That is in
/// the suites of the invariants.
@Suite struct SilenceTests {
  struct Life: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let build: @Sendable (inout Trace) -> Void

    init(_ name: String, _ build: @escaping @Sendable (inout Trace) -> Void) {
      testDescription = name
      self.build = build
    }
  }

  static let lives: [Life] = [
    Life("NR_PAGETABLE is not zero when the mm goes: its tables still wait") {
      $0.emit(.mmNew, Trace.mm)
      $0.born(1, 2); $0.queueBatch([1, 2]); $0.emit(.mmExit, Trace.mm); $0.emit(.mmFree, Trace.mm)
      $0.gp(); $0.runBatch([1, 2]); $0.quiesce()
    },
    Life("parent freed before its child, from two CPUs' lists (E14)") {
      $0.born(1); $0.born(2, level: .pmd)
      $0.queueBatch([1]); $0.on(cpu: 2) { $0.queueBatch([2]) }
      $0.gp(); $0.runBatch([2]); $0.runBatch([1]); $0.quiesce()
    },
    Life("the page is not used again at once, or never") {
      $0.born(1, 2); $0.s3([1]); $0.s3([2]); $0.reuse(2); $0.quiesce()
    },
    Life("P4D and PGD without constructor and destructor before v6.14") {
      $0.alloc(1, .p4d); $0.zero(1); $0.install(1, .p4d); $0.unlink(1); $0.queue(1)
      $0.flush(); $0.callRCU(Trace.head(1), load: 1); $0.gp()
      $0.callback(Trace.head(1)) { $0.free(1) }
      $0.pgd(2, constructed: false); $0.quiesce()
    },
    Life("E1: lost race, no grace period") {
      $0.lostRace(1); $0.quiesce()
    },
    Life("E2: constructor failed") {
      $0.constructorFailed(1); $0.quiesce()
    },
    Life("E3: pte_free_defer()") {
      $0.born(1); $0.deferred(1); $0.quiesce()
    },
    Life("E4: deposited at a fault") {
      $0.depositedAtFault(1); $0.quiesce()
    },
    Life("E4: deposited by a collapse") {
      $0.depositedByCollapse(1); $0.quiesce()
    },
    Life("E5: installed again after the unlink") {
      $0.born(1); $0.unlink(1); $0.install(1); $0.s3([1]); $0.quiesce()
    },
    Life("E6: moved to another entry") {
      $0.born(1); $0.unlink(1); $0.flush(); $0.install(1); $0.s3([1]); $0.quiesce()
    },
    Life("E7: a PMD table that two entries share, unlinked from each in turn") {
      $0.born(9, level: .pmd)
      $0.unlink(9); $0.flush()
      $0.install(9, .pmd, flags: .shared); $0.install(9, .pmd, flags: .shared)
      $0.unlink(9, flags: .shared); $0.flush(); $0.unlink(9, flags: .shared)
      $0.queue(9); $0.flush(); $0.callRCU(Trace.head(9), load: 1); $0.gp(); $0.runBatch([9])
      $0.quiesce()
    },
    Life("E8: PGD") {
      $0.pgd(1, constructed: true); $0.quiesce()
    },
    Life("E10: kernel tables, freed without gather and grace period") {
      $0.alloc(1, .pte, flags: .kernelTable); $0.install(1); $0.unlink(1); $0.free(1)
      $0.alloc(2, .pmd, flags: .kernelTable); $0.ctor(2); $0.install(2); $0.unlink(2)
      $0.dtor(2); $0.free(2); $0.quiesce()
    },
    Life("E11: freed directly, the mm is not shared") {
      $0.born(1); $0.unlink(1); $0.flush(); $0.dtor(1); $0.free(1); $0.quiesce()
    },
    Life("E12: callback after its mm") {
      $0.emit(.mmNew, Trace.mm); $0.born(1); $0.queueBatch([1]); $0.emit(.mmFree, Trace.mm)
      $0.gp(); $0.runBatch([1]); $0.quiesce()
    },
    Life("E15: page freed later by whoever held it") {
      $0.born(1); $0.queueBatch([1]); $0.gp()
      $0.callback(Trace.head(1)) {
        $0.dtor(1); $0.emit(.batchFree, Trace.head(1))
      }
      $0.on(cpu: 2, task: 9) { $0.emit(.tableFree, 1, UInt64(FreeFunction.folioPut.rawValue)) }
      $0.quiesce()
    },
  ]

  @Test(arguments: lives) func nothingIsSaid(_ life: Life) {
    let result = Trace(life.build).check()
    #expect(result.violated == [])
    let doubtful = result.judgements.filter { $0.verdict == .inconclusive }
    #expect(doubtful.isEmpty, "\(doubtful.map(\.invariant.id))")
  }

  /// None of them is silent for want of anything to judge.
  @Test(arguments: lives) func somethingIsJudged(_ life: Life) {
    #expect(Trace(life.build).check().judgements.contains { $0.exercised > 0 })
  }
}
