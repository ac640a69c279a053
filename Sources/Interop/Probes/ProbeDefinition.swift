/// Probes in the words of tracefs.
struct ProbeDefinition {
  let target: ProbeTarget
  let mechanism: ProbeMechanism

  /// One line of `kprobe_events` or `dynamic_events`.
  func line(_ probe: ProbePlan.Chosen, symbol: String) -> String {
    let spec = probe.spec
    let arguments = arguments(probe.fields)
    if mechanism == .fprobe {
      return "f:pt/\(spec.event) \(symbol)\(spec.isReturn ? "%return" : "")" + arguments
    }
    return "\(spec.isReturn ? "r" : "p"):pt/\(spec.event) \(symbol)" + arguments
  }

  /// Everything behind the name of the function: ` folio=$arg1:x64 …`.
  func arguments(_ fields: [ProbeField]) -> String {
    fields.map { " \($0.name)=\(value($0.value)):\($0.type)" }.joined()
  }

  private func value(_ value: ProbeValue) -> String {
    switch value {
    case .argument(let number): argument(number)
    case .memory(let number, let offset): "+\(offset)(\(argument(number)))"
    case .caller: target.architecture.caller
    case .result: "$retval"
    case .global(let member):
      "@\(member.rawValue.split(separator: ".")[0])+" + place(of: member)
    case .member(let member): "+\(place(of: member))(\(argument(1)))"
    }
  }

  /// Where the target's BTF was not given, the script asks for the place there.
  private func place(of member: KernelMember) -> String {
    target.members?[member].map { "\($0)" } ?? "__GPSEQ__"
  }

  private func argument(_ number: Int) -> String {
    // The script turns these into registers where a riscv kprobe needs it (see `registers`).
    mechanism == .kprobe && target.architecture == .riscv64 ? "%a\(number - 1)" : "$arg\(number)"
  }
}
