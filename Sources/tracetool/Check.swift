import ArgumentParser
import Replay
import TraceFormat

/// `tracetool check FILE…`: verdicts.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say whether tables, locks and readers died in the right order.",
    discussion: """
      Judges each invariant (docs/INVARIANTS.md) on each trace: it holds, is violated, is \
      inconclusive, was never exercised (vacuous), or is not applicable. A finding shows both \
      events, what was missing between them, the life of the object, and where to look.

      EXAMPLES:
        tracetool check new.ptt
        tracetool check old.ptt --expect I13,I14
        tracetool check new.ptt --only I13,I20 --format json -o verdict.json
        tracetool check sample-traces/captures/*/
        tracetool check new.ptt --model Models/pt_s3.dot --model my.ltl
        tracetool check old.ptt --only I13 --all
        tracetool check new.ptt -v
        tracetool check boot.ptt --format junit -o verdict.xml
        git bisect run sh -c './build-and-trace.sh && tracetool check boot.ptt -q --bisect'

        tracetool check long.ptt --ordinal 5000000..5999999
        tracetool check long.ptt --table '0x8a1f3#2'
        tracetool check --list
        tracetool check --self-test --seed 7
        tracetool check --coverage nightly/*.ptt
        … | tracetool check - --stop-on-finding --keep 200000 --recording oops.ptt

      With --ordinal, --time, --cpu, --kind or --table, findings are about those events alone. The \
      events before them are followed all the same, so that a table, a lock or a callback is in \
      the state it is in in the whole trace; what is owed at quiesce is asked for if that event is \
      among them.

      -q prints one line for each trace, -v what became of every instance of each invariant.

      EXIT CODE: 0 all holds (or exactly --expect was found), 1 a violation, 2 bad input,
      3 inconclusive; over several files the first of 2, 1, 3, 0 that occurs. --bisect and \
      --kselftest map them.
      """)

  @Argument(
    help: ArgumentHelp("Traces, text captures, or - for stdin.", valueName: "FILE"))
  var files: [String] = []

  @Option(help: "How to print the verdicts (with --kselftest: ktap, unless given).")
  var format: CheckFormatName?

  @Flag(help: "Say what is checked, and what each stage makes of it; reads no FILE.")
  var list = false

  @Option(help: ArgumentHelp("Judge only these invariants.", valueName: "ID,…"))
  var only: InvariantList?

  @Option(help: ArgumentHelp("Do not judge these invariants.", valueName: "ID,…"))
  var skip: InvariantList?

  @Option(
    help: ArgumentHelp(
      "Succeed if exactly these invariants are violated; 'none' for none.", valueName: "ID,…"))
  var expect: InvariantList?

  @Option(
    help: ArgumentHelp("Tell the whole story of at most N findings per cause.", valueName: "N"))
  var maxFindings = 1

  @Flag(help: "List every finding: after the first N of a cause, one line each.")
  var all = false

  @Flag(
    help: """
      An invariant that was never exercised is inconclusive (exit 3); with --coverage, an \
      ordering that never happened.
      """)
  var strict = false

  @OptionGroup var models: ModelOptions
  @OptionGroup var filter: EventFilterOptions
  @OptionGroup var stop: StopOptions
  @OptionGroup var exits: ExitCodeOptions
  @OptionGroup var selfTest: SelfTestOptions
  @OptionGroup var coverage: CoverageOptions
  @OptionGroup var jobs: JobOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if maxFindings < 0 { throw ValidationError("--max-findings must not be negative") }
    if list || selfTest.isAsked {
      let option = list ? "--list" : "--self-test"
      if list && selfTest.isAsked {
        throw ValidationError("--list and --self-test exclude each other")
      }
      if !files.isEmpty { throw ValidationError("\(option) reads no FILE") }
      let formats: [CheckFormatName?] = [nil, .text, .json] + (list ? [.markdown] : [])
      if !formats.contains(format) {
        throw ValidationError(
          "\(option) is printed as text\(list ? ", json or markdown" : " or json")")
      }
      return
    }
    if coverage.isAsked {
      let formats: [CheckFormatName?] = [nil, .text, .json]
      if !formats.contains(format) {
        throw ValidationError("--coverage is printed as text or json")
      }
      let judging =
        only != nil || skip != nil || expect != nil || all || !models.models.isEmpty
        || filter.phrase != nil || stop.stopOnFinding
      if judging || exits.bisect || exits.kselftest {
        throw ValidationError("--coverage reads all of each FILE and judges nothing")
      }
    }
    if stop.keep != nil, files.count > 1 {
      throw ValidationError("--keep writes the recording of one FILE")
    }
    if files.isEmpty { throw ValidationError("Missing expected argument '<FILE> ...'") }
  }

  func run() throws {
    guard !list else { return try printList(to: TextOutput.open(output.output)) }
    if selfTest.isAsked {
      return try selfTest.run(
        asJSON: format == .json, to: TextOutput.open(output.output), verbosity)
    }
    if coverage.isAsked {
      let status = try coverage.run(
        files, asJSON: format == .json, strict: strict, workers: jobs.workers,
        to: TextOutput.open(output.output), verbosity)
      if status != .success { throw ExitCode(status.rawValue) }
      return
    }
    // Options are wrong for every file alike: say so before reading any.
    var options = options
    options.models = try models.load()
    for model in options.models { model.notes.forEach { verbosity.note("note: \($0)") } }
    _ = try Checker(options: options)
    // Ctrl-C ends a stream; what came so far is judged.
    if files.contains("-"), standardInputIsStream() { StreamStop.arm() }
    let output = try TextOutput.open(output.output)
    let name = format ?? (exits.kselftest ? .ktap : .text)
    var form = name.form(traces: files.count, detail: detail)
    var worst = ExitStatus.success
    var sawExpected = false
    for file in files {
      let trace: CheckedTrace
      do {
        trace = try check(file, options)
      } catch let error as TraceError where files.count > 1 || name.reportsErrors {
        // One unreadable file of many must not hide what the others say.
        printDiagnostic("error: \(error)")
        trace = CheckedTrace(file, error: printableLine("\(error)"))
      }
      if let result = trace.report?.result {
        worst = Self.worse(worst, ExitStatus(rawValue: result.exitCode) ?? .failure)
        if result.exitCode == 0, !result.violated.isEmpty { sawExpected = true }
      } else {
        worst = .failure
      }
      try output.write(form.add(trace))
    }
    try output.write(form.finish())
    try output.close()
    let code = ExitCodes.current.code(worst, expected: sawExpected)
    if code != 0 { throw ExitCode(code) }
  }

  private func printList(to output: TextOutput) throws {
    switch format {
    case .json: try output.write(try InvariantCatalogue.json())
    case .markdown: try output.write([UInt8](InvariantCatalogue.markdown.utf8))
    default: for line in InvariantCatalogue.lines { try output.writeLine(line) }
    }
    try output.close()
  }

  private var detail: CheckText.Detail {
    verbosity.quiet ? .brief : verbosity.verbose ? .full : .normal
  }

  private var options: CheckOptions {
    var options = CheckOptions()
    options.only = only?.ids ?? []
    options.skip = skip?.ids ?? []
    options.expect = expect?.ids
    options.maxFindings = maxFindings
    options.strict = strict
    options.keepsAll = all
    options.scope = filter.phrase
    options.workers = jobs.workers
    options.stopsAtFinding = stop.stopOnFinding
    return options
  }

  private func check(_ file: String, _ options: CheckOptions) throws -> CheckedTrace {
    let input = try TraceInput.open(file, workers: jobs.workers)
    input.showProgress("check", verbosity)
    let checker = try Checker(options: options)
    let selection = try EventSelection(filter, clock: input.source.header.clock, file: file)
    let history = try input.begin(for: selection)
    let recorder = try stop.keep.map {
      FlightRecorder(
        input.source, keeping: try $0.span(input.source.header.clock, file), after: history)
    }
    let result = try checker.check(recorder ?? input.source, only: selection, after: history)
    if let blocks = input.blocksRead { verbosity.detail("\(file): \(blocks)") }
    input.reportWarning(verbosity)
    let recording = try recorder.flatMap { try write($0, result) }
    var evidence = Evidence()
    if !result.violated.isEmpty {
      if let recording {
        let kept = try TraceReader(path: recording)
        evidence = try Evidence(
          for: result, from: kept, after: kept.history(before: kept.firstOrdinal))
      } else if try input.rewind() {
        let places = Evidence.places(of: result).compactMap { UInt64(exactly: $0) }
        input.readOnly { $0.contains(oneOf: places) }
        evidence = try Evidence(for: result, from: input.source, after: history)
      } else {
        verbosity.note("\(file): a pipe cannot be read twice: findings name places, not events")
      }
    }
    // What came through a pipe can be looked at again in its recording.
    return CheckedTrace(file == "-" ? recording ?? file : file, result, evidence)
  }

  /// Writes the flight recording, if there was a finding; returns its name.
  private func write(_ recorder: FlightRecorder, _ result: CheckResult) throws -> String? {
    guard result.stoppedAt != nil else {
      verbosity.note("no finding ended the check: \(stop.path) was not written")
      return nil
    }
    guard let events = try recorder.write(to: stop.path) else { return nil }
    verbosity.note("wrote events #\(events.lowerBound) to #\(events.upperBound) to \(stop.path)")
    return stop.path
  }

  /// The first of 2, 1, 3, 0 that applies.
  static func worse(_ left: ExitStatus, _ right: ExitStatus) -> ExitStatus {
    for status in [ExitStatus.failure, .violation, .inconclusive]
    where left == status || right == status { return status }
    return .success
  }
}

/// Ids of invariants and names of models, separated by commas; `none` is the empty list.
struct InvariantList: ExpressibleByArgument {
  let ids: [String]

  init?(argument: String) {
    if argument == "none" {
      ids = []
      return
    }
    // I13, i13 and I22A are one spelling each of what the kernel-facts call I13 and I22a.
    // What is no number of an invariant is the name of a model.
    ids = argument.split(separator: ",").map { id in
      let number = id.dropFirst().prefix { $0.isNumber }
      let isInvariant = id.first?.lowercased() == "i" && !number.isEmpty && id.count <= 4
      return isInvariant ? "I" + id.dropFirst().lowercased() : String(id)
    }
    guard !ids.isEmpty else { return nil }
  }
}
