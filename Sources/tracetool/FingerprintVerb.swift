import ArgumentParser
import Replay
import TraceFormat

/// `tracetool fingerprint FILE`: which stage a kernel behaves like.
struct FingerprintVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fingerprint",
    abstract: "Say which stage of the patch series a kernel behaves like.",
    discussion: """
      Tells by rules, from events alone, never from names: which way tables leave, where their \
      destructor runs, what the no-memory fallback waits for, how TLB flushes travel, whether \
      madvise frees tables. Names every stage that nothing contradicts, an example of each proof \
      (for dump --ordinal and replay --at), and why it cannot be told more closely. Stages are \
      those of record --list-stages; on other architectures they name the behaviour.

      EXAMPLES:
        tracetool fingerprint new.ptt
        tracetool fingerprint sample-traces/captures/chain-S3-small-munmap
        tracetool fingerprint new.ptt --expect S3.sbi,S4,S5,S6

      EXIT CODE: 0 the order is certain (with --expect: and it is one of those), 1 it is none of
      --expect, 2 bad input, 3 it cannot be told.
      """)

  @Argument(help: ArgumentHelp("A trace, a text capture, or - for stdin.", valueName: "FILE"))
  var file: String

  @Option(help: "How to print the answer.")
  var format = TextOrJSON.text

  @Option(
    help: ArgumentHelp(
      "Succeed if it behaves like these stages and no other.", valueName: "STAGE,…"))
  var expect: String?

  @OptionGroup var jobs: JobOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    let known = StageRule.all.map(\.label)
    for label in expected ?? [] where !known.contains(label) {
      throw ValidationError(
        "--expect: no stage '\(label)'; known are \(known.joined(separator: ", "))")
    }
    if let expected, expected.isEmpty { throw ValidationError("--expect names no stage") }
  }

  func run() throws {
    let output = try TextOutput.open(output.output)
    let input = try TraceInput.open(file, workers: jobs.workers)
    let fingerprint = try Fingerprint(of: input.source)
    input.reportWarning(verbosity)
    switch format {
    case .text:
      for line in FingerprintText(fingerprint, file: file).lines { try output.writeLine(line) }
    case .json: try output.write(FingerprintJSON(fingerprint, file: file).bytes())
    }
    try output.close()
    let status = status(of: fingerprint)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  private var expected: Set<String>? {
    expect.map { Set($0.split(separator: ",").map(String.init)) }
  }

  private func status(of fingerprint: Fingerprint) -> ExitStatus {
    guard fingerprint.isCertain else { return .inconclusive }
    guard let expected else { return .success }
    let labels = Set(fingerprint.candidates.map(\.label))
    if labels.isSubset(of: expected) { return .success }
    return labels.isDisjoint(with: expected) ? .violation : .inconclusive
  }
}
