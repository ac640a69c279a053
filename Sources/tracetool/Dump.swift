import ArgumentParser
import TraceFormat

/// `tracetool dump FILE`: events as text.
struct Dump: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the events of a trace.",
    discussion: """
      One line an event: its ordinal, the task, the CPU, what the CPU was doing, the time, and the \
      event as docs/EVENTS.md describes it. A table is pfn=PFN#GENERATION.

      EXAMPLES:
        tracetool dump a.ptt | head
        tracetool dump a.ptt --kind pt_unlink,pt_dtor,pt_free
        tracetool dump a.ptt --table '0x8a1f3#2'
        tracetool dump a.ptt --ordinal 800..900 --cpu 0,1
        tracetool dump a.ptt --format ndjson -o a.ndjson
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

  @OptionGroup var filter: EventFilterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  func run() throws {
    let input = try TraceInput.open(file)
    input.reportRemarks(verbosity)
    let output = try TextOutput.open(output.output)
    try printEvents(of: input.source, to: output)
    try output.close()
  }

  private func printEvents(of source: any EventSource, to output: TextOutput) throws {
    let text = EventText(clock: source.header.clock)
    let json = EventJSON()
    var filter = EventFilter(filter)
    var batch = EventBatch()
    while try source.next(into: &batch) {
      if filter.isPast(batch.firstOrdinal) { break }
      for (index, event) in batch.events.enumerated() {
        let ordinal = batch.firstOrdinal + UInt64(index)
        guard filter.accepts(event, ordinal: ordinal) else { continue }
        switch format {
        case .text: try output.writeLine(text.line(event, ordinal: ordinal, source: source))
        case .ndjson: try output.writeLine(json.line(event, ordinal: ordinal, source: source))
        }
      }
    }
  }
}
