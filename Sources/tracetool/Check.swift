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
        tracetool check long.ptt --ordinal 5000000..5999999
        tracetool check long.ptt --table '0x8a1f3#2'
        tracetool check --list

      With --ordinal, --time, --cpu, --kind or --table, findings are about those events alone. The \
      events before them are followed all the same, so that a table, a lock or a callback is in \
      the state it is in in the whole trace; what is owed at quiesce is asked for if that event is \
      among them.

      EXIT CODE: 0 all holds (or exactly --expect was found), 1 a violation, 2 bad input,
      3 inconclusive; over several files the first of 2, 1, 3, 0 that occurs.
      """)

  @Argument(
    help: ArgumentHelp("Traces, text captures, or - for stdin.", valueName: "FILE"))
  var files: [String] = []

  @Option(help: "How to print the verdicts; markdown only with --list.")
  var format = CheckFormat.text

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

  @Option(help: ArgumentHelp("Show at most N findings of each cause.", valueName: "N"))
  var maxFindings = 1

  @Flag(help: "An invariant that was never exercised is inconclusive (exit 3).")
  var strict = false

  @OptionGroup var filter: EventFilterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if maxFindings < 0 { throw ValidationError("--max-findings must not be negative") }
    if list {
      if !files.isEmpty { throw ValidationError("--list reads no FILE") }
      return
    }
    if files.isEmpty { throw ValidationError("Missing expected argument '<FILE> ...'") }
    if format == .markdown { throw ValidationError("--format markdown goes with --list") }
  }

  func run() throws {
    let output = try TextOutput.open(output.output)
    guard !list else { return try printList(to: output) }
    // Options are wrong for every file alike: say so before reading any.
    _ = try Checker(options: options)
    var worst = ExitStatus.success
    var objects: [[UInt8]] = []
    for (index, file) in files.enumerated() {
      let report: Report
      do {
        report = try check(file)
      } catch let error as TraceError where files.count > 1 {
        // One unreadable file of many must not hide what the others say.
        printDiagnostic("error: \(error)")
        worst = Self.worse(worst, .failure)
        continue
      }
      worst = Self.worse(worst, report.status)
      switch format {
      case .text:
        if index > 0 { try output.writeLine("") }
        for line in report.lines { try output.writeLine(line) }
      case .json: objects.append(try report.json())
      case .markdown: break
      }
    }
    if format == .json { try write(objects, to: output) }
    try output.close()
    if worst != .success { throw ExitCode(worst.rawValue) }
  }

  private func printList(to output: TextOutput) throws {
    switch format {
    case .text: for line in InvariantCatalogue.lines { try output.writeLine(line) }
    case .json: try output.write(try InvariantCatalogue.json())
    case .markdown: try output.write([UInt8](InvariantCatalogue.markdown.utf8))
    }
    try output.close()
  }

  private var options: CheckOptions {
    var options = CheckOptions()
    options.only = only?.ids ?? []
    options.skip = skip?.ids ?? []
    options.expect = expect?.ids
    options.maxFindings = maxFindings
    options.strict = strict
    options.scope = filter.phrase
    return options
  }

  /// One object for one file, an array for several.
  private func write(_ objects: [[UInt8]], to output: TextOutput) throws {
    guard files.count > 1 else {
      for object in objects { try output.write(object) }
      return
    }
    try output.writeLine("[")
    for (index, object) in objects.enumerated() {
      if index > 0 { try output.writeLine(",") }
      try output.write(object)
    }
    try output.writeLine("]")
  }

  private struct Report {
    let result: CheckResult
    let evidence: Evidence
    let file: String

    var status: ExitStatus { ExitStatus(rawValue: result.exitCode) ?? .failure }
    var lines: [String] { CheckText(result, evidence: evidence, file: file).lines }
    func json() throws -> [UInt8] {
      try CheckJSON(result, evidence: evidence, file: file).bytes()
    }
  }

  private func check(_ file: String) throws -> Report {
    let input = try TraceInput.open(file)
    input.showProgress("check", verbosity)
    var checker = try Checker(options: options)
    let selection = try EventSelection(filter, clock: input.source.header.clock, file: file)
    let result = try checker.check(input.source, only: selection)
    input.reportWarning(verbosity)
    var evidence = Evidence()
    if !result.violated.isEmpty {
      if try input.rewind() {
        let places = Evidence.places(of: result).compactMap { UInt64(exactly: $0) }
        input.readOnly { $0.contains(oneOf: places) }
        evidence = try Evidence(for: result, from: input.source)
      } else {
        verbosity.note("\(file): a pipe cannot be read twice: findings name places, not events")
      }
    }
    return Report(result: result, evidence: evidence, file: file)
  }

  /// The first of 2, 1, 3, 0 that applies.
  static func worse(_ left: ExitStatus, _ right: ExitStatus) -> ExitStatus {
    for status in [ExitStatus.failure, .violation, .inconclusive]
    where left == status || right == status { return status }
    return .success
  }
}

/// How `check` prints.
enum CheckFormat: String, ExpressibleByArgument, CaseIterable {
  case text
  case json
  case markdown
}

/// Invariant ids, separated by commas; `none` is the empty list.
struct InvariantList: ExpressibleByArgument {
  let ids: [String]

  init?(argument: String) {
    if argument == "none" {
      ids = []
      return
    }
    // I13, i13 and I22A are one spelling each of what the kernel-facts call I13 and I22a.
    ids = argument.split(separator: ",").map { "I" + $0.dropFirst().lowercased() }
    guard !ids.isEmpty else { return nil }
  }
}
