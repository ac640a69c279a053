import Foundation
import Testing

@testable import Interop

/// The scripts are well-formed for a POSIX shell, whatever the plan. Running them takes a kernel
/// of one's own; that is what `make qemu-demo` is for.
@Suite struct ShellScriptTests {
  static let plans: [ProbePlan] = Architecture.allCases.flatMap { arch in
    ProbeMechanism.allCases.map { ProbePlan(ProbeTarget(arch), set: .full, mechanism: $0) }
  }

  @Test(arguments: plans.indices)
  func isAShellScript(_ index: Int) throws {
    let plan = Self.plans[index]
    for usesTraceCmd in [false, true] {
      let script = ShellScript(plan, producer: "tracetool", usesTraceCmd: usesTraceCmd).text
      let file = try TemporaryFile(Array(script.utf8))
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/sh")
      shell.arguments = ["-n", file.path]
      try shell.run()
      shell.waitUntilExit()
      #expect(shell.terminationStatus == 0)
      // Nothing of the generator is left in it, and every probe of the plan is.
      #expect(!script.contains("Optional("))
      if plan.mechanism == .bpf { continue }
      for probe in plan.probes { #expect(script.contains("  probe \(probe.spec.event) ")) }
      for point in plan.tracePoints { #expect(script.contains("  point \(point.path) ")) }
    }
  }

  @Test func whatTheTargetToldIsInTheScript() throws {
    let kernel = try #require(RecordedKernel.all.first { $0.name.hasPrefix("7.2") })
    let script = ShellScript(
      ProbePlan(kernel.target, set: .order, mechanism: .kprobe), producer: "tracetool"
    ).text
    #expect(script.contains("NRPT=38\n"))
    #expect(script.contains("@rcu_state+"))
    #expect(!script.contains("__GPSEQ__'"))
  }

  @Test func bpfProgramsNeedTheSymbols() {
    #expect(throws: (any Error).self) {
      try BPFSource(
        ProbePlan(ProbeTarget(.riscv64), set: .order, mechanism: .bpf), producer: "tracetool")
    }
  }

  @Test(arguments: RecordedKernel.all)
  func bpfProgramsAttachToWhatIsThere(_ kernel: RecordedKernel) throws {
    let plan = ProbePlan(kernel.target, set: .full, mechanism: .bpf)
    let source = try BPFSource(plan, producer: "tracetool").text
    for line in source.split(separator: "\n") where line.hasPrefix("SEC(\"f") {
      let symbol = line.split(separator: "/")[1].split(separator: "\"")[0]
      #expect(kernel.target.has(String(symbol)) == true, "\(symbol)")
    }
    #expect(source.contains("pt_dtor folio=0x%llx idx=%d val=%d"))
  }
}
