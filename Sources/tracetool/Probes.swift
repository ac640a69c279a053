import ArgumentParser
import Interop
import Replay
import TraceFormat

/// `tracetool probes`: what to run on a machine to record it.
struct Probes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what to run on a machine to record its page tables.",
    discussion: """
      Prints a shell script (busybox is enough) that sets the probes, records a command, collects \
      everything import wants into one tar and cleans up after itself. It chooses among the names \
      a function has had through the versions on the machine itself; with the machine's own files \
      (its script's 'survey' makes them) the choice is made here, and what cannot be seen is said.

      EXAMPLES:
        tracetool probes --arch riscv64 --kernel 7.2 > pt.sh
        tracetool probes --target survey.tar --events walkers > pt.sh
        tracetool probes --target survey.tar --explain
        tracetool probes --target survey.tar --for bpf > pt.bpf.c

      On the machine, then here:
        sh pt.sh survey survey.tar
        sh pt.sh record pt.tar COMMAND…
        tracetool import pt.tar -o pt.ptt && tracetool check pt.ptt

      EXIT CODE: 0 printed, 2 bad usage or bad input.
      """)

  @Option(
    help: ArgumentHelp("Architecture of the machine.", valueName: "riscv64|x86_64|arm64"))
  var arch: String?

  @Option(
    help: ArgumentHelp("Its kernel, as uname -r says it.", valueName: "VERSION"))
  var kernel: String?

  @Option(
    help: ArgumentHelp(
      "How to attach; auto prefers fprobes, which miss nothing.",
      valueName: "auto|kprobe|fprobe|bpf|tracepoints"),
    transform: { try choice($0, \.rawValue) })
  var mechanism = ProbeMechanism.auto

  @Option(
    help: ArgumentHelp("How much to watch.", valueName: "minimal|order|walkers|full"),
    transform: { try choice($0, \.name) })
  var events = ProbeSet.order

  @Option(name: .customLong("for"), help: "What to print.")
  var form = Form.sh

  @Option(
    help: ArgumentHelp(
      "The machine's files: the tar 'survey' made, or its folder.", valueName: "TAR"))
  var target: String?

  @Option(help: ArgumentHelp("Its /proc/kallsyms.", valueName: "FILE"))
  var kallsyms: String?

  @Option(help: ArgumentHelp("Its available_filter_functions.", valueName: "FILE"))
  var functions: String?

  @Option(help: ArgumentHelp("Its kernel configuration.", valueName: "FILE"))
  var config: String?

  @Option(help: ArgumentHelp("Its /sys/kernel/btf/vmlinux.", valueName: "FILE"))
  var btf: String?

  @Flag(help: "Say why each probe is there, and what cannot be decided without the others.")
  var explain = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  /// What is printed.
  enum Form: String, ExpressibleByArgument, CaseIterable {
    case sh
    case traceCmd = "trace-cmd"
    case bpf
  }

  func run() throws {
    let plan = ProbePlan(
      try describedTarget(), set: events, mechanism: form == .bpf ? .bpf : mechanism)
    let output = try TextOutput.open(output.output)
    if explain {
      for line in explanation(plan) { try output.writeLine(line) }
    } else {
      for warning in plan.warnings { verbosity.note("note: \(warning)") }
      switch form {
      case .sh, .traceCmd:
        let script = ShellScript(
          plan, producer: toolProducer, usesTraceCmd: form == .traceCmd)
        try output.write(Array(script.text.utf8))
      case .bpf: try output.write(Array(BPFSource(plan, producer: toolProducer).text.utf8))
      }
    }
    try output.close()
  }

  /// What the options tell of the machine.
  private func describedTarget() throws -> ProbeTarget {
    let files = try TargetFiles(
      survey: target, kallsyms: kallsyms, functions: functions, config: config, btf: btf)
    guard let name = arch ?? files.machine else {
      throw ValidationError("--arch is missing: riscv64, x86_64 or arm64 (or --target TAR)")
    }
    guard let architecture = Architecture(named: name) else {
      throw ValidationError("--arch \(name): known are riscv64, x86_64 and arm64")
    }
    var described = ProbeTarget(architecture)
    if let release = kernel ?? files.release {
      guard let version = KernelVersion(release) else {
        throw ValidationError("--kernel \(release): a version is '6.12' or '7.2.13+deb14-riscv64'")
      }
      described.version = version
    }
    try files.fill(&described)
    return described
  }

  private func explanation(_ plan: ProbePlan) -> [String] {
    var lines = ["mechanism: \(plan.mechanism.rawValue)", ""]
    let explanations = plan.explanations
    let width = (explanations.map(\.place.count).max() ?? 0) + 2
    for (name, place, why) in explanations {
      lines.append(Figures.left(name, 26) + Figures.left(place, width) + why)
    }
    if !plan.missing.isEmpty { lines.append("") }
    for (event, reason) in plan.missing { lines.append("not probed: \(event): \(reason)") }
    lines.append("")
    let kinds = plan.kinds
    var undecidable: [String] = []
    for type in InvariantRegistry.all {
      let lacking = type.description.requires.kinds.filter { !kinds.contains($0) }
      guard !lacking.isEmpty else { continue }
      let names = lacking.map(\.name).joined(separator: ", ")
      undecidable.append(
        "  \(Figures.left(type.description.id, 5))\(Figures.left(type.description.title, 44)) \(names)"
      )
    }
    if !undecidable.isEmpty {
      lines.append("undecidable with these probes, and the events they would need:")
      lines += undecidable
    }
    lines += plan.warnings.map { "note: \($0)" }
    return lines
  }
}

/// Reads one of a fixed set of names.
private func choice<Value: CaseIterable>(
  _ argument: String, _ name: (Value) -> String
) throws -> Value {
  if let value = Value.allCases.first(where: { name($0) == argument }) { return value }
  let known = Value.allCases.map(name).joined(separator: ", ")
  throw ValidationError("'\(argument)' is none of \(known)")
}
