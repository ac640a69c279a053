import ArgumentParser
import TraceFormat

/// `tracetool info FILE`: what a trace says about itself, and what is in it.
struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a trace: where it comes from, what is in it, what it is unable to see.",
    discussion: """
      Reads the trace once, whole: every checksum is compared, every block decoded. "sure" means that every occurrence outside a declared loss is in \
      the trace, "may-miss" that occurrences may be missing without a mark, "inferred" that they \
      were concluded from other events. A kind that is not listed cannot be seen at all.

      EXAMPLES:
        tracetool info a.ptt
        tracetool info --format json a.ptt
        tracetool info --verify a.ptt
        tracetool info --columns a.ptt
        tracetool record --stage S4 -o - | tracetool info -
      """)

  @Argument(help: ArgumentHelp("A trace, a text capture, or - for stdin.", valueName: "FILE"))
  var file: String

  @Option(help: "How to print it.")
  var format = TextOrJSON.text

  @Flag(
    help: "Fail, too, if the end of the trace is missing, and say how much a damage costs.")
  var verify = false

  @Flag(help: "Say, too, how many bytes each column of the blocks takes (docs/FORMAT.md).")
  var columns = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var jobs: JobOptions
  @OptionGroup var verbosity: VerbosityOptions

  func run() throws {
    let input = try TraceInput.open(file, workers: jobs.workers)
    input.showProgress("info", verbosity)
    let contents = try contents(of: input)
    if verify, let warning = input.warning {
      throw TraceError(
        file: input.name, what: warning, hint: "without --verify it is read as far as it goes")
    }
    let output = try TextOutput.open(output.output)
    switch format {
    case .text: try output.write(InfoText.describe(contents))
    case .json: try output.writeLine(InfoJSON.describe(contents))
    }
    try output.close()
    input.reportWarning(verbosity)
    if verify { verbosity.detail("\(input.name): every block is sound, and the end is there") }
  }

  /// Reads all of the trace. With --verify, an error says besides how much of it is damaged.
  private func contents(of input: TraceInput) throws -> TraceContents {
    do {
      var contents = try TraceContents(reading: input)
      if columns { contents.columns = try input.columnSizes() }
      if verify { try input.verifySnapshots() }
      return contents
    } catch var error as TraceError where verify {
      guard let report = try? TraceRecovery.inspect(file) else { throw error }
      error.hint =
        "'tracetool recover' keeps \(report.events) events in \(report.blocks) blocks and loses "
        + report.losses
      throw error
    }
  }
}
