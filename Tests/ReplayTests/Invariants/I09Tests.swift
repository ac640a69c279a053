import Testing
import TraceFormat

@testable import Replay

/// I09: freed by `pagetable_free()`.
@Suite struct I09Tests {
  private let id = "I09"

  private func freed(by function: FreeFunction) -> Trace {
    Trace.known {
      $0.born(1); $0.emit(.tableFree, 1, UInt64(function.rawValue))
    }
  }

  @Test func holds() { expect(freed(by: .pagetableFree).judge(id), .holds) }

  @Test func pageFunctions() {
    #expect(
      freed(by: .freePageAndSwapCache).judge(id).causes
        == ["freed by free_page_and_swap_cache()"])
    #expect(
      freed(by: .freePagesAndSwapCache).judge(id).causes
        == ["freed by free_pages_and_swap_cache()"])
  }

  /// Probes show a caller beside the free; that it freed this very page is a conclusion.
  @Test func aSourceThatJoinsTheFunctionDecidesNothing() {
    var trace = freed(by: .freePageAndSwapCache)
    trace.header.machine = nil
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "which function freed a page")
  }

  /// The last reference may be anybody's (E15).
  @Test func aDroppedReferenceIsE15() {
    let judgement = freed(by: .folioPut).judge(id)
    expect(judgement, .vacuous)
    #expect(judgement.exempted(.e15) == 1)
  }

  @Test func whatTheSourceDoesNotNameDecidesNothing() {
    expect(freed(by: .unknown).judge(id), .vacuous)
    let odd = Trace.known {
      $0.born(1); $0.emit(.tableFree, 1, 200)
    }
    expect(odd.judge(id), .vacuous)
  }

  @Test func aSecondFreeIsNotItsBusiness() {
    let trace = Trace.known {
      $0.born(1); $0.free(1); $0.emit(.tableFree, 1, 2)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
  }

  /// One event decides: neither edges nor holes matter, unless the source puts it there.
  @Test func oneEventDecides() {
    let trace = freed(by: .freePageAndSwapCache)
    #expect(trace.cut(from: .tableFree).judge(id).violations == 1)
    expect(trace.cut(before: .tableFree).judge(id), .vacuous)
    let lossy = Trace.known {
      $0.born(1); $0.hole(); $0.emit(.tableFree, 1, 2)
    }
    #expect(lossy.judge(id).violations == 1)
    let inHole = Trace.known {
      $0.born(1); $0.loss(); $0.emit(.tableFree, 1, 2); $0.lossEnd()
    }
    expect(inHole.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let inferred = Trace.known {
      $0.born(1); $0.emit(.tableFree, 1, 2, flags: .inferred)
    }
    expect(inferred.judge(id), .inconclusive, reason: "concluded")
  }

  @Test func missingCapability() {
    let trace = freed(by: .pagetableFree).without(.tableFree)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "pt_free")
  }
}
