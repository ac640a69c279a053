import ArgumentParser
import Replay
import TraceFormat

/// `--stop-on-finding`, `--keep`, `--recording`: a check that ends where something died wrong.
struct StopOptions: ParsableArguments {
  @Flag(
    help: "End with the first finding that is not expected; a stream is not read any further.")
  var stopOnFinding = false

  @Option(
    help: ArgumentHelp(
      """
      With --stop-on-finding: write the last N events, or those of the last N seconds (N s, ms or \
      us), to --recording, with what has to be known of the events before.
      """, valueName: "LAST"))
  var keep: FlightSpan?

  @Option(
    help: ArgumentHelp("The trace that --keep writes (finding.ptt).", valueName: "FILE"))
  var recording: String?

  /// Where the flight recording goes.
  var path: String { recording ?? "finding.ptt" }

  func validate() throws {
    if keep != nil, !stopOnFinding {
      throw ValidationError("--keep needs --stop-on-finding: it keeps what led to the finding")
    }
    if recording != nil, keep == nil {
      throw ValidationError("--recording needs --keep LAST, which says how much is written there")
    }
    if recording == "-" {
      throw ValidationError("--recording is a file; stdout has the verdicts")
    }
  }
}

/// How much a flight recording keeps: `50000` events, or the last `5s`, `200ms`, `80us`.
struct FlightSpan: ExpressibleByArgument {
  private let number: UInt64
  /// Nanoseconds of the unit; nil where events are counted.
  private let unit: UInt64?

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    guard let number = UInt64(digits), number > 0 else { return nil }
    self.number = number
    switch argument[digits.endIndex...] {
    case "" where number <= UInt64(FlightRecorder.limit): unit = nil
    case "s": unit = 1_000_000_000
    case "ms": unit = 1_000_000
    case "us": unit = 1_000
    case "ns": unit = 1
    default: return nil
    }
  }

  /// The span in the units of `clock`.
  func span(_ clock: Clock, _ file: String) throws -> FlightRecorder.Span {
    guard let unit else { return .events(Int(number)) }
    guard let perSecond = clock.unitsPerSecond else {
      throw TraceError(
        file: file, what: "its clock counts no seconds", hint: "say --keep with a number of events")
    }
    let nanoseconds = number.multipliedReportingOverflow(by: unit)
    let (high, low) = (nanoseconds.overflow ? .max : nanoseconds.partialValue)
      .multipliedFullWidth(by: perSecond)
    guard high < 1_000_000_000 else { return .time(.max) }
    return .time(UInt64(1_000_000_000).dividingFullWidth((high, low)).quotient)
  }
}
