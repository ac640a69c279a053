import ArgumentParser
import Replay
import TraceFormat

/// `--coverage`: what the traces exercised, rather than what they violated.
struct CoverageOptions: ParsableArguments {
  @Flag(
    name: .customLong("coverage"),
    help: ArgumentHelp(
      """
      Say which orderings of teardown and readers all FILEs together have exercised, and which \
      never (docs/COVERAGE.md); judges nothing.
      """))
  var isAsked = false

  /// Reads every file, and prints one report on all of them.
  ///
  /// A file that cannot be read is an error, but does not hide what the others have exercised.
  /// With `strict`, or where nothing was seen at all, holes are inconclusive.
  func run(
    _ files: [String], asJSON: Bool, strict: Bool, workers: Int, to output: TextOutput,
    _ verbosity: VerbosityOptions
  ) throws -> ExitStatus {
    var coverage = Coverage()
    var status = ExitStatus.success
    for file in files {
      do {
        let input = try TraceInput.open(file, workers: workers)
        input.showProgress("check", verbosity)
        try coverage.add(input.source, file: file)
        input.reportWarning(verbosity)
      } catch let error as TraceError where files.count > 1 {
        printDiagnostic("error: \(error)")
        status = .failure
      }
    }
    if asJSON {
      try output.write(CoverageJSON(coverage).bytes())
    } else {
      for line in CoverageText(coverage).lines { try output.writeLine(line) }
    }
    try output.close()
    guard status == .success else { return status }
    return coverage.isEmpty || strict && !coverage.holes.isEmpty ? .inconclusive : .success
  }
}
