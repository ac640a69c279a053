public import TraceFormat

/// The probes of a plan as BPF programs in C, for kernels that cannot record kprobes.
///
/// Each program is an fentry or fexit that prints what the probe would have printed, with
/// `bpf_trace_vprintk()`, so that its line lies in the ring buffer in order with the trace points'.
/// Call sites are not known to such a program; everything else is as with a kprobe.
public struct BPFSource: Sendable {
  private let plan: ProbePlan
  private let producer: String

  /// Programs for `plan`, whose target must have told its symbols: a BPF program that names a
  /// function the kernel does not have cannot be loaded.
  public init(_ plan: ProbePlan, producer: String) throws(TraceError) {
    guard plan.target.symbols != nil else {
      throw TraceError(
        file: "--for bpf", what: "needs the target's symbols",
        hint: "give --kallsyms FILE or --target TAR (made by the script's 'survey')")
    }
    self.plan = plan
    self.producer = producer
  }

  /// The source, with a line feed at its end.
  public var text: String {
    let programs = plan.probes.compactMap(program)
    return """
      // Page-table probes as BPF programs. Written by \(producer).
      // Build:  clang -O2 -g -target bpf -c pt.bpf.c -o pt.bpf.o
      // Load:   bpftool prog loadall pt.bpf.o /sys/fs/bpf/tracetool autoattach
      typedef unsigned long long u64;
      typedef unsigned int u32;
      #define SEC(name) __attribute__((section(name), used))
      static long (*const read_kernel)(void *, u32, const void *) = (void *)113;
      static long (*const trace_vprintk)(const char *, u32, const void *, u32) = (void *)177;
      static long (*const func_arg)(void *, u32, u64 *) = (void *)183;
      static long (*const func_ret)(void *, u64 *) = (void *)184;
      char terms[] SEC("license") = "GPL";
      static inline u64 arg(void *ctx, u32 n) { u64 v = 0; func_arg(ctx, n, &v); return v; }
      static inline u64 ret(void *ctx) { u64 v = 0; func_ret(ctx, &v); return v; }
      static inline u64 word(u64 at, u32 size) { u64 v = 0; read_kernel(&v, size, (void *)at); return v; }
      #define PRINT(text, ...) do { static const char f[] = text; u64 a[] = { __VA_ARGS__ }; \\
        trace_vprintk(f, sizeof(f), a, sizeof(a)); } while (0)
      \(externs)
      \(programs.joined(separator: "\n"))

      """
  }

  private var externs: String {
    var names: [String] = []
    for probe in plan.probes {
      if case .function(let functions) = probe.spec.filter {
        names += functions.filter { plan.target.has($0) == true }
      }
      for field in probe.fields {
        if case .global(let member) = field.value {
          names.append(String(member.rawValue.split(separator: ".")[0]))
        }
      }
    }
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }.map {
      "extern const void \($0) __attribute__((section(\".ksyms\")));"
    }.joined(separator: "\n")
  }

  private func program(_ probe: ProbePlan.Chosen) -> String? {
    let spec = probe.spec
    // Its filter is the call site, which is not known here; the gather is concluded instead.
    if case .callers = spec.filter { return nil }
    var fields = probe.fields.filter { $0.value != .caller && $0.type != "symbol" }
    if spec.isReturn, fields.isEmpty {
      fields = [ProbeField(name: "arg", value: .argument(1), type: "x64")]
    }
    var body = ""
    switch spec.filter {
    case .none, .callers: break
    case .statistic(let positive):
      let number = plan.target.nrPageTable ?? 38
      body =
        "  if ((u32)arg(ctx, 1) != \(number) || (int)arg(ctx, 2) \(positive ? "<=" : ">=") 0) return 0;\n"
    case .failed: body = "  if ((unsigned char)ret(ctx) != 1) return 0;\n"
    case .function(let functions):
      return calls(probe, functions.filter { plan.target.has($0) == true }, fields)
    }
    return "SEC(\"\(spec.isReturn ? "fexit" : "fentry")/\(probe.symbols[0])\") "
      + "int pt_\(spec.event)(u64 *ctx)\n{\n" + body + "  " + print(spec.event, fields)
      + "  return 0;\n}"
  }

  /// One branch a function, each printing its name: a symbol cannot be printed by its address.
  private func calls(
    _ probe: ProbePlan.Chosen, _ functions: [String], _ fields: [ProbeField]
  ) -> String {
    let branches = functions.map { function in
      // Only a batch has its size there; a ptdesc has something else.
      let own = fields.filter { $0.name != "nr" || function == "tlb_remove_table_rcu" }
      return "  if (func == (u64)&\(function)) "
        + print(probe.spec.event, own, extra: " func=\(function)")
    }
    return "SEC(\"fentry/\(probe.symbols[0])\") int pt_\(probe.spec.event)(u64 *ctx)\n{\n"
      + "  u64 func = arg(ctx, 1);\n" + branches.joined() + "  return 0;\n}"
  }

  private func print(_ event: String, _ fields: [ProbeField], extra: String = "") -> String {
    guard !fields.isEmpty else { return "PRINT(\"\(event) v=%d\(extra)\", 1);\n" }
    let format = fields.map { "\($0.name)=\(Self.format($0.type))" }.joined(separator: " ")
    let values = fields.map(value).joined(separator: ", ")
    return "PRINT(\"\(event) \(format)\(extra)\", \(values));\n"
  }

  private static func format(_ type: String) -> String {
    switch type.first {
    case "x": type == "x64" ? "0x%llx" : "0x%x"
    case "s": "%d"
    default: type == "u64" ? "%llu" : "%u"
    }
  }

  private func value(_ field: ProbeField) -> String {
    let size = (Int(field.type.dropFirst()) ?? 64) / 8
    switch field.value {
    case .argument(let number): return Self.narrowed("arg(ctx, \(number - 1))", field.type)
    case .memory(let number, let offset):
      return "word(arg(ctx, \(number - 1)) + \(offset), \(size))"
    case .caller: return "0"
    case .result: return Self.narrowed("ret(ctx)", field.type)
    case .global(let member):
      let name = member.rawValue.split(separator: ".")[0]
      return "word((u64)&\(name) + \(plan.target.members?[member] ?? 0), \(size))"
    case .member(let member):
      return "word(arg(ctx, 0) + \(plan.target.members?[member] ?? 0), \(size))"
    }
  }

  private static func narrowed(_ value: String, _ type: String) -> String {
    switch type {
    case "s32": "(u64)(long long)(int)\(value)"
    case "u32", "x32": "(u32)\(value)"
    case "u8": "(unsigned char)\(value)"
    default: value
    }
  }
}
