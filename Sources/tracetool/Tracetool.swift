import ArgumentParser

/// The root command: arguments and printing only, one file per verb.
@main
struct Tracetool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tracetool",
    abstract: "Did every page table, its lock and its readers die in the right order?",
    discussion: """
      Records the life of page tables (allocation, destructor, RCU callback, free) from a \
      simulator or a live Linux kernel, checks the order offline, and says what changed between \
      two kernels.

      EXAMPLES:
        tracetool record --stage S1.sbi --workload munmap-churn -o old.ptt
        tracetool import trace.txt.zst -o new.ptt
        tracetool info new.ptt
        tracetool dump new.ptt | head

      A trace is a .ptt file, a text capture (trace.txt, trace.txt.zst) or the directory of a
      capture; - is a pipe. Text goes to stdout, diagnostics go to stderr.

      EXIT CODE: 0 all well, 1 a violation or a difference, 2 bad usage or bad input,
      3 inconclusive, 130 interrupted (no unfinished file is left behind).
      """,
    version: toolVersion,
    subcommands: [
      Record.self, Probes.self, Import.self, Check.self, Diff.self, FingerprintVerb.self,
      ReplayVerb.self, Info.self, Dump.self, Export.self, Recover.self, Slice.self, Merge.self,
    ]
  )

  static func main() {
    makeFailedWritesErrors()
    endOnInterrupt()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      endProcess(after: error)
    }
  }
}

/// The version of the tool; a trace's header names it as its producer.
let toolVersion = "0.1.0"

/// What a header says about the program that wrote the file.
let toolProducer = "tracetool \(toolVersion)"
