import ArgumentParser
import Interop
import TraceFormat

/// `tracetool import FILE -o OUT.ptt`: a live kernel's trace, as a trace file.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn a live kernel's trace into a trace file.",
    discussion: """
      Reads, by content: ftrace text (/sys/kernel/tracing/trace, trace_pipe, trace-cmd report), a \
      trace.dat of trace-cmd, the text of perf script, a tar of a capture, what dump --format \
      ndjson printed, and with --map the NDJSON or CSV of any other tracer; plain or compressed \
      with zstd or gzip. A directory stands for the trace in it. Files beside the trace (stats.txt, \
      kprobe_profile.txt, cmd.txt) tell what was lost and missed. What the trace does not say is \
      never guessed; what was concluded is marked as inferred. docs/IMPORT.md says how.

      EXAMPLES:
        tracetool import trace.txt.zst -o a.ptt
        tracetool import trace.dat -o a.ptt
        tracetool import captures/6.12/small-munmap -o a.ptt
        tracetool import trace.txt --kernel 6.12.107 --stage S1.sbi -o a.ptt
        tracetool import events.ndjson --map names.yaml -o a.ptt
        cat /sys/kernel/tracing/trace | tracetool import - -o a.ptt
        ssh target cat /sys/kernel/tracing/trace_pipe \\
          | tracetool import - --follow -o - | tracetool check -

      With --follow the text is read while it is being written, in one pass: what it shows is \
      handed on at least once a second, until the pipe ends or Ctrl-C; a FILE is followed as by \
      tail -f. docs/LIVE.md says what that costs.
      """)

  @Argument(
    help: ArgumentHelp("The trace, the directory or tar of a capture, or -.", valueName: "FILE"))
  var file: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The trace file to write; - is stdout.", valueName: "FILE"))
  var output: String

  @Flag(help: "Follow the text while it is being written; Ctrl-C ends it, and nothing is lost.")
  var follow = false

  @Option(
    help: ArgumentHelp(
      "What the keys of another tracer's NDJSON or CSV mean (docs/IMPORT.md).", valueName: "FILE"))
  var map: String?

  @Option(
    help: ArgumentHelp(
      "Ring buffer to import if a trace.dat holds several; top is the main one.",
      valueName: "NAME"))
  var buffer: String?

  @Option(
    help: ArgumentHelp(
      "Number of NR_PAGETABLE among the node statistics, if it is not found out.", valueName: "N"))
  var nrPagetable: UInt64?

  @Option(help: ArgumentHelp("Kernel release to note in the trace.", valueName: "RELEASE"))
  var kernel: String?

  @Option(help: ArgumentHelp("Architecture, if it is not found out.", valueName: "NAME"))
  var arch: String?

  @Option(help: ArgumentHelp("Stage label to note in the trace.", valueName: "LABEL"))
  var stage: String?

  @Flag(help: "Fail if any line is not understood.")
  var strict = false

  @OptionGroup var writing: WritingOptions
  @OptionGroup var verbosity: VerbosityOptions

  func run() throws {
    if follow, file != "-", isDirectory(file) {
      throw TraceError(
        file: file, what: "is the directory of a capture, which was collected and does not grow",
        hint: "leave out --follow, or name the file that is being written")
    }
    var capture = try CaptureImport(path: file)
    capture.options.nrPageTable = nrPagetable
    capture.options.map = map
    capture.options.buffer = buffer
    capture.options.kernel = kernel
    capture.options.arch = arch
    capture.options.stage = stage
    if let bar = ProgressBar("import \(file)", .bytes, verbosity) {
      capture.options.progress = { bar.update($0, of: $1) }
    }
    if follow {
      StreamStop.arm()
      capture.options.follow = true
      capture.options.followersOutput = output == "-" ? 1 : nil
    }
    let result = try capture.write(to: output, options: writing.writerOptions) { report in
      if strict { try refuseUnknown(report) }
    }
    for line in ImportReportText.lines(result) { verbosity.note("\(file): \(line)") }
    for line in ImportReportText.details(result.report) { verbosity.detail("\(file): \(line)") }
  }

  private func refuseUnknown(_ report: ImportReport) throws {
    let unknown = report.unknown.reduce(0) { $0 + $1.count } + report.badLines + report.badValues
    guard unknown > 0 else { return }
    let first = report.unknown.first.map { "\($0.name) in line \($0.firstLine)" }
    let example = first ?? report.badExamples.first ?? "values that make no sense"
    throw TraceError(
      file: file, what: "\(unknown) lines are not understood, such as \(example)",
      hint: "without --strict they are counted and left out")
  }
}
