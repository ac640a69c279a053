import Testing
import TraceFormat

@testable import Replay

/// I15: on the page path every CPU acknowledges the flush IPI before the free.
@Suite struct I15Tests {
  private let id = "I15"

  private func gathered(_ after: (inout Trace) -> Void) -> Trace {
    Trace {
      $0.born(1); $0.unlink(1); $0.dtor(1); $0.queuePage(1); after(&$0)
    }
  }

  @Test func holds() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b111); $0.flushAck(cpu: 0); $0.flushAck(cpu: 2)
      $0.flushAck(cpu: 1); $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge(id), .holds)
    #expect(trace.judge(id).exercised == 1)
  }

  /// The end of the invalidation is not what counts here, the acknowledgements are.
  @Test func missingAcknowledgement() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b111); $0.flushAck(cpu: 0); $0.flushAck(cpu: 1)
      $0.flushEnd(); $0.free(1); $0.flushAck(cpu: 2)
    }
    #expect(trace.judge(id).causes == ["freed before every CPU had acknowledged the flush IPI"])
    #expect(trace.judge("I10").verdict == .holds)
  }

  @Test func acknowledgementOfAnEarlierOne() {
    let trace = gathered {
      $0.flushAck(cpu: 1); $0.flushStart(); $0.flushCPUs(0b10); $0.flushEnd(); $0.free(1)
    }
    #expect(trace.judge(id).violations == 1)
  }

  @Test func acknowledgementOfAnotherSpace() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b10); $0.flushAck(cpu: 1, 0xff60_0777); $0.flushEnd()
      $0.free(1)
    }
    #expect(trace.judge(id).violations == 1)
  }

  /// Which of two invalidations an acknowledgement is for cannot be told: it counts for both.
  @Test func twoInvalidationsAtATime() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b10)
      $0.on(cpu: 2, task: 9) {
        $0.flushStart(); $0.flushCPUs(0b10)
      }
      $0.flushAck(cpu: 1); $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func firmwareAsksNobody() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b111, .firmware); $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge(id), .vacuous)
  }

  @Test func moreThan64CPUs() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(1 << 63); $0.flushAck(cpu: 63); $0.flushAck(cpu: 700)
      $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge(id), .holds)
  }

  @Test func tablePathOwesNone() {
    let trace = Trace {
      $0.born(1); $0.s3([1])
    }
    expect(trace.judge(id), .notApplicable, reason: "no table took the page path")
  }

  @Test func edges() {
    let whole = gathered {
      $0.flushStart(); $0.flushCPUs(0b11); $0.flushAck(cpu: 0); $0.flushAck(cpu: 1)
      $0.flushEnd(); $0.free(1)
    }
    for count in 0...whole.events.count {
      #expect(whole.prefix(count).judge(id).violations == 0)
      #expect(whole.suffix(from: count).judge(id).violations == 0)
    }
    #expect(whole.cut(before: .tableFree).judge(id).pending == 1)
  }

  @Test func lossIsNamed() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b10); $0.hole(); $0.flushEnd(); $0.free(1)
    }
    expect(trace.judge(id), .inconclusive, reason: "lost events on CPU 1")
  }

  @Test func acknowledgementsThatMayBeMissed() {
    let trace = gathered {
      $0.flushStart(); $0.flushCPUs(0b10); $0.flushEnd(); $0.free(1)
    }
    expect(
      trace.missing(.flushAck).judge(id), .inconclusive,
      reason: "tlb_flush_ack may be missed silently")
  }

  @Test func missingCapability() {
    let trace = gathered {
      $0.flush(); $0.free(1)
    }.without(.flushCPUs)
    expect(trace.judge(id), .notApplicable)
    expect(trace.judge(id, asked: true), .inconclusive, reason: "tlb_flush_cpus")
  }
}
