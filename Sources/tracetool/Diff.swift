import ArgumentParser
import Replay
import TraceFormat

/// `tracetool diff OLD NEW`: what changed between two kernels.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare how tables live and die in two traces.",
    discussion: """
      Compares the shapes of lives, not addresses or absolute times: what moved to another place \
      in the teardown, which lives appeared and vanished, and what it costs.

      EXAMPLES:
        tracetool diff old.ptt new.ptt
        tracetool diff captures/6.12/ captures/7.2/ --format json

      EXIT CODE: 0 same shape, 1 a difference, 2 bad input.
      """)

  @Argument(help: ArgumentHelp("The trace to compare against.", valueName: "OLD"))
  var old: String

  @Argument(help: ArgumentHelp("The trace to compare.", valueName: "NEW"))
  var new: String

  @Option(help: "How to print the comparison.")
  var format = TextOrJSON.text

  @OptionGroup var jobs: JobOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if old == "-", new == "-" { throw ValidationError("only one of the traces can be stdin") }
  }

  func run() throws {
    let output = try TextOutput.open(output.output)
    let diff = TraceDiff(old: try profile(old), new: try profile(new))
    switch format {
    case .text:
      for line in DiffText(diff, old: old, new: new).lines { try output.writeLine(line) }
    case .json: try output.write(DiffJSON(diff, old: old, new: new).bytes())
    }
    try output.close()
    if diff.isDifferent { throw ExitCode(ExitStatus.violation.rawValue) }
  }

  private func profile(_ file: String) throws -> TraceProfile {
    let input = try TraceInput.open(file, workers: jobs.workers)
    input.showProgress("diff", verbosity)
    let profile = try ProfileBuilder.profile(of: input.source)
    input.reportWarning(verbosity)
    return profile
  }
}
