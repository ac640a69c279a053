import ArgumentParser
import TraceFormat

/// `tracetool recover FILE -o OUT`: what is intact of a damaged trace.
struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Save every intact block of a damaged trace into a new file.",
    discussion: """
      Looks for intact blocks, behind damage too, and keeps all their events with their \
      #GENERATION. Each hole becomes a loss on all CPUs, so that 'check' knows what it does not \
      know. Ordinals are numbered anew. The new file is read back before the verb ends (not \
      through a pipe). A file that only lacks its end loses nothing.

      EXAMPLES:
        tracetool recover damaged.ptt -o saved.ptt
        tracetool recover killed-recording.ptt.4711-0.partial -o saved.ptt
        tracetool recover -q damaged.ptt -o - | tracetool check -

      EXIT CODE: 0 nothing was lost, 2 nothing can be recovered, 3 something was lost.
      """)

  @Argument(help: ArgumentHelp("The damaged trace; a file, no pipe.", valueName: "FILE"))
  var file: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The trace file to write; - is stdout.", valueName: "FILE"))
  var output: String

  @OptionGroup var writing: WritingOptions
  @OptionGroup var verbosity: VerbosityOptions

  func run() throws {
    let bar = ProgressBar("recover \(file)", .bytes, verbosity)
    defer { ProgressBar.clear() }
    let report = try TraceRecovery.recover(
      file, to: output, options: writing.writerOptions
    ) { bar?.update($0, of: $1) }
    for line in Self.lines(report) { verbosity.note("\(file): \(line)") }
    if report.isLossy { throw ExitCode(ExitStatus.inconclusive.rawValue) }
  }

  private static func lines(_ report: RecoveryReport) -> [String] {
    var lines = ["kept \(report.events) events in \(report.blocks) blocks"]
    if report.startIsDamaged { lines.append("its start is damaged; the copy at its end is not") }
    for hole in report.holes {
      let lost = hole.events.map { "lost \($0) events" } ?? "lost events, nothing tells how many,"
      lines.append(
        "\(lost) from event \(hole.firstOrdinal) on; \(hole.bytes) damaged bytes at byte "
          + "\(hole.offset)")
    }
    if report.holeCount > report.holes.count {
      lines.append(
        "\(report.holeCount - report.holes.count) more holes; \(report.lostEvents) events in all")
    }
    if report.holeCount == 0, report.damagedBytes > 0 {
      lines.append("\(report.damagedBytes) damaged bytes held no events")
    }
    if report.endIsDamaged { lines.append("lost what was counted when the recording ended") }
    if report.endIsMissing {
      lines.append("its end is missing, as in a recording that was killed; nothing else is")
    }
    return lines
  }
}
