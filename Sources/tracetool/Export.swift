import ArgumentParser
import Interop
import TraceFormat

/// `tracetool export FILE --format F`: events in the form of another program.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the events of a trace for other programs.",
    discussion: """
      Formats: \(Exporting.formats.map { "\($0.format) (\($0.summary))" }.joined(separator: ", ")). \
      Times are in the units of the clock ('tracetool info' names it); addresses and pfns are \
      hexadecimal. With --ordinal, --time, --cpu, --kind or --table only the blocks in question are \
      read.

      EXAMPLES:
        tracetool export a.ptt --format csv -o a.csv
        tracetool export a.ptt --format ndjson --kind pt_free | jq .pfn
        tracetool export a.ptt --format csv --time 17.2,17.5 | sqlite3 -csv a.db '.import /dev/stdin ev'
      """)

  /// A format by its name.
  struct Format: ExpressibleByArgument {
    let exporter: any TraceExporter.Type

    init?(argument: String) {
      guard let exporter = Exporting.format(named: argument) else { return nil }
      self.exporter = exporter
    }

    static var allValueStrings: [String] { Exporting.formats.map { $0.format } }
  }

  @Argument(help: ArgumentHelp("A trace, a text capture, or - for stdin.", valueName: "FILE"))
  var file: String

  @Option(help: "What to write.")
  var format: Format

  @OptionGroup var filter: EventFilterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var jobs: JobOptions
  @OptionGroup var verbosity: VerbosityOptions

  func run() throws {
    let input = try TraceInput.open(file, workers: jobs.workers)
    let output = try TextOutput.open(output.output)
    input.showProgress("export", verbosity, output: self.output.output)
    let source = input.source
    let selection = try EventSelection(filter, clock: source.header.clock, file: file)
    var exporter = format.exporter.init(header: source.header)
    var selected = SelectedEvents(selection, of: input)
    var bytes: [UInt8] = []
    exporter.begin(into: &bytes)
    try selected.forEachBatch { events in
      for (ordinal, event) in events {
        exporter.append(event, ordinal: ordinal, from: source, to: &bytes)
      }
      try output.write(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    exporter.end(into: &bytes)
    try output.write(bytes)
    try output.close()
    input.reportWarning(verbosity)
    if let blocks = input.blocksRead { verbosity.detail("\(file): \(blocks)") }
  }
}
