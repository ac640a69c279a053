import Replay
import Testing
import TraceFormat

@testable import Interop

/// What each committed capture's kernel behaves like; the kernels are known, the tool is not told.
@Suite struct FingerprintCaptureTests {
  private static let early: Set<String> = ["S1.sbi", "S2h"]
  private static let page: Set<String> = ["S0", "S1.ipi", "S3.ipi"]
  private static let late: Set<String> = ["S3.sbi", "S4", "S5", "S6", "S6.sync"]
  private static let reclaiming: Set<String> = ["S5", "S6"]

  static let captures: [(name: String, labels: Set<String>)] = [
    ("6.1-amd64-small-munmap", page), ("6.12-amd64-small-munmap", page),
    ("6.12-amd64-small-collapse", page), ("6.12-amd64-pv-small-munmap", early),
    ("6.12-rt-amd64-pv-small-munmap", early), ("6.12-arm64-small-munmap", early),
    ("6.12-riscv64-bpf-small-munmap", early), ("6.12-riscv64-bpf-lost-pipe", early),
    ("6.12-riscv64-bpf-aia-small-munmap", page), ("7.2-amd64-small-dontneed", reclaiming),
    ("7.2-amd64-fprobe-small-munmap", reclaiming), ("7.2-rt-amd64-small-munmap", reclaiming),
    ("7.2-arm64-small-munmap", reclaiming), ("7.2-riscv64-kprobe-small-dontneed", reclaiming),
    ("7.2-riscv64-kprobe-small-fork", late), ("7.2-riscv64-kprobe-lost-pipe", late),
    ("7.2-riscv64-bpf-small-clock-local", late), ("chain-S1-small-munmap", early),
    ("chain-S1-small-nomem", early), ("chain-S1-aia-small-munmap", page),
    ("chain-S2h-small-nomem", early), ("chain-S3-small-munmap", late),
    ("chain-S3-small-nomem", ["S3.sbi", "S4"]), ("chain-S3-aia-small-munmap", page),
  ]

  @Test(arguments: captures)
  func behavesLike(_ capture: (name: String, labels: Set<String>)) throws {
    let trace = try Samples.importCapture(capture.name).trace
    let fingerprint = try Fingerprint(of: trace)
    #expect(fingerprint.isCertain)
    #expect(Set(fingerprint.candidates.map(\.label)) == capture.labels)
  }

  @Test func aKernelThatRecordedNoProbeTellsNothing() throws {
    let trace = try Samples.importCapture("6.12-riscv64-kprobe-silent-drop").trace
    let fingerprint = try Fingerprint(of: trace)
    #expect(!fingerprint.isCertain)
    #expect(fingerprint.reasons[0].contains("hits, none recorded"))
  }
}
