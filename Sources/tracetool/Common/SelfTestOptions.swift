import ArgumentParser
import SelfTest
import TraceFormat

/// `--self-test`: does the judge notice what is wrong, and nothing else?
struct SelfTestOptions: ParsableArguments {
  @Flag(
    name: .customLong("self-test"),
    help: "Break valid traces in many ways and see who notices (docs/SELF-TEST.md); reads no FILE.")
  var isAsked = false

  @Option(help: ArgumentHelp("Seed of the self-test.", valueName: "S"))
  var seed: UInt64 = 1

  @Option(
    name: .customLong("stages"),
    help: ArgumentHelp("Stages of the self-test; all of them if not given.", valueName: "LABEL,…"))
  var stages: String?

  /// Runs it and prints the report; anything missed is a violation.
  func run(asJSON: Bool, to output: TextOutput, _ verbosity: VerbosityOptions) throws {
    var options = SelfTest.Options()
    options.seed = seed
    options.stages = stages?.split(separator: ",").map(String.init) ?? []
    let result = try SelfTest(options).run { verbosity.detail("self-test: \($0)") }
    if asJSON {
      try output.write(try result.json())
    } else {
      for line in result.lines { try output.writeLine(line) }
    }
    try output.close()
    // A subset of the stages need not have a place for every operator.
    let isClean = result.isClean || !options.stages.isEmpty && result.isCleanWhereUsed
    if !isClean { throw ExitCode(ExitStatus.violation.rawValue) }
  }
}
