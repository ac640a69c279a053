import Testing
import TraceFormat

@testable import Replay

/// I34: pgtables_bytes follows the tables of its mm.
@Suite struct I34Tests {
  private let id = "I34"

  private func life(_ body: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.mmNew()
      body(&$0)
      $0.mmFree()
    }
  }

  @Test func holds() {
    let trace = life {
      $0.bytes(4096, .pmd); $0.bytes(4096); $0.bytes(-4096); $0.bytes(-4096, .pmd)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
  }

  @Test func notZeroAtTheEnd() {
    #expect(life { $0.bytes(4096) }.judge(id).causes == ["mm freed with pgtables_bytes not 0"])
  }

  @Test func negative() {
    let trace = life {
      $0.bytes(-4096); $0.bytes(4096)
    }
    #expect(trace.judge(id).causes == ["pgtables_bytes became negative"])
  }

  @Test func wrongAmount() {
    let trace = life {
      $0.bytes(8192); $0.bytes(-8192)
    }
    #expect(trace.judge(id).causes == ["pgtables_bytes changed by other than a page"])
  }

  @Test(arguments: [TableLevel.p4d, .pgd]) func levelsThatDoNotCount(_ level: TableLevel) {
    let trace = life {
      $0.bytes(4096, level); $0.bytes(-4096, level)
    }
    #expect(trace.judge(id).causes == ["pgtables_bytes changed for a level that does not count"])
  }

  @Test func insideACallback() {
    let trace = life {
      $0.bytes(4096)
      $0.on(context: .softirq) { $0.bytes(-4096) }
    }
    #expect(trace.judge(id).causes == ["pgtables_bytes changed outside the task"])
  }

  @Test func afterTheEnd() {
    let trace = Trace {
      $0.mmNew(); $0.bytes(4096); $0.mmFree(); $0.bytes(-4096)
    }
    #expect(
      trace.judge(id).causes == [
        "mm freed with pgtables_bytes not 0", "pgtables_bytes changed after the mm was freed",
      ])
  }

  @Test func nextLifeStartsAtZero() {
    let trace = Trace {
      for _ in 0..<2 {
        $0.mmNew(); $0.bytes(4096); $0.bytes(-4096); $0.mmFree()
      }
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 2)
  }

  /// Tables may still wait for RCU when their mm is freed (E12): that is NR_PAGETABLE's.
  @Test func tablesThatWait() {
    let trace = life {
      $0.born(1); $0.bytes(4096); $0.queueBatch([1]); $0.bytes(-4096)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func edges() {
    let trace = life {
      $0.bytes(4096); $0.bytes(4096); $0.bytes(-4096); $0.bytes(-4096)
    }
    for count in 1..<trace.events.count {
      expect(trace.suffix(from: count).judge(id), .vacuous)
      expect(trace.prefix(count).judge(id), .vacuous)
    }
    #expect(trace.suffix(from: 2).judge(id).pending == 1)
    #expect(trace.prefix(2).judge(id).pending == 1)
  }

  @Test func lossIsBlamed() {
    let trace = life {
      $0.bytes(4096); $0.hole()
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
    let silent = life { $0.bytes(4096) }.missing(.mmBytes)
    expect(silent.judge(id), .inconclusive, reason: "mm_bytes may be missed silently")
  }

  @Test func missingCapability() {
    let trace = life { $0.bytes(4096) }.without(.mmBytes)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "mm_bytes")
  }

  @Test func neverExercised() { expect(Trace { $0.born(1) }.judge(id), .vacuous) }
}
