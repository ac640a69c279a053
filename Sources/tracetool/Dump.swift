import ArgumentParser
import TraceFormat

/// `tracetool dump FILE`: events as text.
struct Dump: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the events of a trace.",
    discussion: """
      One line an event: its ordinal, then as ftrace prints it: task, CPU, flags (s softirq, h \
      hardirq, k kernel thread), time, and the event as docs/EVENTS.md describes it. A table is \
      pfn=PFN#GENERATION.

      EXAMPLES:
        tracetool dump a.ptt | head
        tracetool dump a.ptt --kind pt_unlink,pt_dtor,pt_free
        tracetool dump a.ptt --table '0x8a1f3#2'
        tracetool dump a.ptt --ordinal 800..900 --cpu 0,1
        tracetool dump a.ptt --time 17.279,17.28
        tracetool dump a.ptt --format ndjson --header -o a.ndjson
      """)

  /// The forms of an event.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text
    case ndjson
  }

  @Argument(help: ArgumentHelp("A trace, a text capture, or - for stdin.", valueName: "FILE"))
  var file: String

  @Option(help: "How to print events.")
  var format = Format.text

  @Flag(help: "With ndjson: print the trace's header first, so that import loses nothing.")
  var header = false

  @OptionGroup var filter: EventFilterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var jobs: JobOptions
  @OptionGroup var verbosity: VerbosityOptions

  func run() throws {
    let input = try TraceInput.open(file, workers: jobs.workers)
    let output = try TextOutput.open(output.output)
    let selection = try EventSelection(filter, clock: input.source.header.clock, file: file)
    input.showProgress("dump", verbosity, output: self.output.output)
    do {
      try printEvents(of: input, selection, to: output)
    } catch let damage as TraceError {
      // What lies before the damage is intact, and printed.
      if self.output.output == "-" { try? output.close() }
      throw damage
    }
    try output.close()
    input.reportWarning(verbosity)
    if let blocks = input.blocksRead { verbosity.detail("\(file): \(blocks)") }
  }

  private func printEvents(
    of input: TraceInput, _ selection: EventSelection, to output: TextOutput
  ) throws {
    let source = input.source
    let text = EventText(clock: source.header.clock)
    var selected = SelectedEvents(selection, of: input)
    var lines: [UInt8] = []
    if header, format == .ndjson, let json = source.header.json {
      lines += Array("{\"header\":".utf8) + json + Array("}\n".utf8)
    }
    try selected.forEachBatch { events in
      for (ordinal, event) in events {
        switch format {
        case .text: text.appendLine(event, ordinal: ordinal, source: source, to: &lines)
        case .ndjson: text.appendJSON(event, ordinal: ordinal, from: source, to: &lines)
        }
      }
      try output.write(lines)
      lines.removeAll(keepingCapacity: true)
    }
  }
}
